package notes;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.InflaterInputStream;
import org.slf4j.LoggerFactory;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;

/**
 * Tells which access tokens were revoked before they expired, from Tokenhouse's status lists (IETF Token Status List, draft
 * 20). A thread for each list fetches it again every {@code ttl} seconds, two of them as it is served. A request looks at
 * the bits in memory; only the first ones that meet a list wait for it.
 */
class StatusLists {
    private final Map<String, StatusList> lists = new ConcurrentHashMap<>();
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final JwtDecoder decoder;

    /** {@code decoder} is for tokens of type {@code statuslist+jwt}, signed by the issuer. */
    StatusLists(JwtDecoder decoder) {
        this.decoder = decoder;
    }

    /** Whether a token was revoked. Its signature and its claims have been checked before. */
    boolean revoked(Jwt token) {
        var entry = (Map<?, ?>) token.getClaimAsMap("status").get("status_list");
        var list = lists.computeIfAbsent((String) entry.get("uri"), StatusList::new);
        return list.bit(((Number) entry.get("idx")).intValue());
    }

    private record Bits(byte[] octets, Instant issued, Instant expires, long ttl) {}

    private class StatusList {
        private final String uri;
        private final CountDownLatch tried = new CountDownLatch(1);
        private volatile Bits bits = new Bits(new byte[0], Instant.EPOCH, Instant.EPOCH, 1);

        StatusList(String uri) {
            this.uri = uri;
            var thread = new Thread(this::follow, "status list " + uri);
            thread.setDaemon(true);
            thread.start();
        }

        boolean bit(int index) {
            try {
                tried.await(3, TimeUnit.SECONDS);
            } catch (InterruptedException stopping) {
                Thread.currentThread().interrupt();
            }
            var now = bits;
            if (!Instant.now().isBefore(now.expires) || index < 0 || index >= 8 * now.octets.length) {
                throw new JwtException(uri + " is too old, or too short for " + index); // cannot tell: 503, never 200
            }
            return (now.octets[index >> 3] >> (index & 7) & 1) == 1;
        }

        private void follow() {
            try {
                for (;; TimeUnit.SECONDS.sleep(bits.ttl)) {
                    try {
                        fetch();
                    } catch (IOException | RuntimeException error) { // the list that is there is good until its `exp`
                        LoggerFactory.getLogger(StatusLists.class).warn("no fresh status list: {}: {}", uri, error.toString());
                    }
                    tried.countDown();
                }
            } catch (InterruptedException stopping) {
                Thread.currentThread().interrupt();
            }
        }

        private void fetch() throws IOException, InterruptedException {
            var request = HttpRequest.newBuilder(URI.create(uri)).timeout(Duration.ofSeconds(2)).build();
            var answer = client.send(request, BodyHandlers.ofString());
            if (answer.statusCode() != 200) throw new JwtException("status " + answer.statusCode());
            var token = decoder.decode(answer.body());
            var list = token.getClaimAsMap("status_list");
            if (!uri.equals(token.getSubject()) || ((Number) list.get("bits")).intValue() != 1) {
                throw new JwtException("this is not the list that was asked for, or not one of one bit a token");
            }
            if (token.getIssuedAt().isBefore(bits.issued)) return; // a cache on the way may still have an older one
            var compressed = new ByteArrayInputStream(Base64.getUrlDecoder().decode((String) list.get("lst")));
            var octets = new InflaterInputStream(compressed).readAllBytes();
            bits = new Bits(octets, token.getIssuedAt(), token.getExpiresAt(), ((Number) token.getClaim("ttl")).longValue());
        }
    }
}
