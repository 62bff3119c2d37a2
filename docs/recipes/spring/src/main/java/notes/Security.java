package notes;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.SecurityContext;
import jakarta.servlet.http.HttpServletResponse;
import java.net.MalformedURLException;
import java.net.URI;
import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.web.authentication.BearerTokenAuthenticationFilter;
import org.springframework.security.web.SecurityFilterChain;

/** Which access tokens are accepted, and what they open. */
@Configuration
class Security {
    @Bean
    SecurityFilterChain endpoints(HttpSecurity http) throws Exception {
        return http
            .authorizeHttpRequests(requests -> requests
                .requestMatchers("/reports/").hasAuthority("SCOPE_reports:read")
                .anyRequest().authenticated())
            .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
            .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
            .csrf(csrf -> csrf.disable()) // no cookie opens anything here
            .addFilterBefore((request, response, chain) -> {
                try {
                    chain.doFilter(request, response);
                } catch (AuthenticationServiceException cannotTell) {
                    ((HttpServletResponse) response).setHeader("Retry-After", "2");
                    ((HttpServletResponse) response).setStatus(503);
                }
            }, BearerTokenAuthenticationFilter.class)
            .build();
    }

    /** The published keys: kept for five minutes, fetched again for an unknown `kid` at most twice in thirty seconds. */
    @Bean
    JWKSource<SecurityContext> keys(@Value("${issuer}") String issuer) throws MalformedURLException {
        return JWKSourceBuilder.create(URI.create(issuer + "/.well-known/jwks.json").toURL()).build();
    }

    @Bean
    JwtDecoder accessTokens(JWKSource<SecurityContext> keys, @Value("${issuer}") String issuer, @Value("${audience}") String audience) {
        var decoder = decoder(keys, "at+jwt");
        var claims = JwtValidators.createAtJwtValidator().issuer(issuer).audience(audience).validators(all -> {
            all.put("client_id", new JwtClaimValidator<>("client_id", Objects::nonNull));
            all.put("status", new JwtClaimValidator<>("status", Objects::nonNull));
        });
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(claims.build(), new JwtTimestampValidator()));
        var lists = new StatusLists(decoder(keys, "statuslist+jwt"));
        return text -> {
            try {
                var token = decoder.decode(text);
                if (lists.revoked(token)) throw new BadJwtException("revoked");
                return token;
            } catch (JwtException error) {
                if (NestedExceptionUtils.getRootCause(error) instanceof RateLimitReachedException) {
                    throw new BadJwtException("an unknown key", error); // the token's fault, not ours
                }
                throw error;
            }
        };
    }

    /** For tokens of one type, signed with ES256. */
    private static NimbusJwtDecoder decoder(JWKSource<SecurityContext> keys, String type) {
        var types = new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType(type), new JOSEObjectType("application/" + type));
        var decoder = NimbusJwtDecoder.withJwkSource(keys).jwsAlgorithm(SignatureAlgorithm.ES256)
            .jwtProcessorCustomizer(processor -> processor.setJWSTypeVerifier(types)).build();
        decoder.setJwtValidator(new JwtTimestampValidator());
        return decoder;
    }
}
