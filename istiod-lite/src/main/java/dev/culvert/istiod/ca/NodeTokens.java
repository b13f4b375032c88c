package dev.culvert.istiod.ca;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Tokens of node proxies and waypoints in local mode, in the shape of Kubernetes' projected service account tokens.
// Thread-safe.
public final class NodeTokens implements TokenVerifier {
    private static final String ISSUER = "https://kubernetes.default.svc";
    private static final String AUDIENCE = "istio-ca";
    private static final String NAMESPACE = "istio-system";
    private static final String ACCOUNT = "ztunnel";
    private static final int MAX_TOKEN_CHARS = 8192;

    public static final Duration LIFE = Duration.ofHours(12);

    private final KeyPair key;
    private final Clock clock;

    private NodeTokens(KeyPair key, Clock clock) {
        this.key = key;
        this.clock = clock;
    }

    public static NodeTokens open(Path directory, Clock clock) throws IOException, GeneralSecurityException {
        return new NodeTokens(SigningKey.loadOrCreate(directory.resolve("token-key.pem")), clock);
    }

    /// A token for the ztunnel of a node, written 0600.
    public void write(Path file, String node, String nodeUid) throws IOException, GeneralSecurityException {
        SigningKey.writeSecret(file, sign(node, nodeUid));
    }

    /// A token for a pod of a user's namespace, written 0600.
    public void write(Path file, Caller pod) throws IOException, GeneralSecurityException {
        SigningKey.writeSecret(file, sign(pod, ""));
    }

    String sign(String node, String nodeUid) throws GeneralSecurityException {
        return sign(new Caller(NAMESPACE, ACCOUNT, "ztunnel-" + node, "", node), nodeUid);
    }

    private String sign(Caller caller, String nodeUid) throws GeneralSecurityException {
        var now = clock.instant();
        var pod = caller.pod();
        var uid = UUID.nameUUIDFromBytes(pod.getBytes(StandardCharsets.UTF_8)).toString();
        var claims = new JWTClaimsSet.Builder()
                .issuer(ISSUER)
                .subject("system:serviceaccount:" + caller.namespace() + ":" + caller.serviceAccount())
                .audience(AUDIENCE)
                .issueTime(Date.from(now))
                .notBeforeTime(Date.from(now))
                .expirationTime(Date.from(now.plus(LIFE)))
                .claim(
                        "kubernetes.io",
                        Map.of(
                                "namespace", caller.namespace(),
                                "node", Map.of("name", caller.node(), "uid", nodeUid),
                                "pod", Map.of("name", pod, "uid", uid),
                                "serviceaccount", Map.of("name", caller.serviceAccount(), "uid", uid)))
                .build();
        try {
            var token = new SignedJWT(new JWSHeader(JWSAlgorithm.ES256), claims);
            token.sign(new ECDSASigner((ECPrivateKey) key.getPrivate()));
            return token.serialize();
        } catch (JOSEException e) {
            throw new GeneralSecurityException(e);
        }
    }

    @Override
    public Caller verify(String token) throws GeneralSecurityException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw new GeneralSecurityException("the token is too long");
        }
        try {
            var parsed = SignedJWT.parse(token);
            if (!parsed.verify(new ECDSAVerifier((ECPublicKey) key.getPublic()))) {
                throw new GeneralSecurityException("the token is not signed by us");
            }
            return caller(parsed.getJWTClaimsSet());
        } catch (ParseException | JOSEException | ClassCastException bad) {
            throw new GeneralSecurityException(
                    "the token cannot be read: " + bad.getClass().getSimpleName(), bad);
        }
    }

    private Caller caller(JWTClaimsSet claims) throws GeneralSecurityException, ParseException {
        var now = clock.instant();
        var expires = claims.getExpirationTime();
        var begins = claims.getNotBeforeTime();
        if (expires == null || !now.isBefore(expires.toInstant())) {
            throw new GeneralSecurityException("the token has expired");
        }
        if (begins != null && now.plusSeconds(60).isBefore(begins.toInstant())) {
            throw new GeneralSecurityException("the token is not valid yet");
        }
        if (!List.of(AUDIENCE).equals(claims.getAudience()) || !ISSUER.equals(claims.getIssuer())) {
            throw new GeneralSecurityException("the token is meant for somebody else: " + claims.getAudience());
        }
        var kubernetes = claims.getJSONObjectClaim("kubernetes.io");
        if (kubernetes == null) {
            throw new GeneralSecurityException("the token is not bound to a pod");
        }
        return new Caller(
                String.valueOf(kubernetes.get("namespace")),
                part(kubernetes, "serviceaccount"),
                part(kubernetes, "pod"),
                "",
                part(kubernetes, "node"));
    }

    private static String part(Map<String, Object> kubernetes, String what) throws GeneralSecurityException {
        if (kubernetes.get(what) instanceof Map<?, ?> of && of.get("name") instanceof String name) {
            return name;
        }
        throw new GeneralSecurityException("the token is not bound to a " + what);
    }
}
