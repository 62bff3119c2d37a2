package notes;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Notes {
    public static void main(String[] arguments) {
        SpringApplication.run(Notes.class, arguments);
    }

    @GetMapping({"/notes/", "/reports/"})
    Map<String, String> notes(@AuthenticationPrincipal Jwt token) {
        var scope = token.hasClaim("scope") ? token.getClaimAsString("scope") : "";
        return Map.of("user", token.getSubject(), "client", token.getClaimAsString("client_id"), "scope", scope);
    }
}
