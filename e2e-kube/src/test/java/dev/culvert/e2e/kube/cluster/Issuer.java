package dev.culvert.e2e.kube.cluster;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Base64;

/// Signs tokens (RFC 7519, RS256), and says with which key.
final class Issuer {
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

    private final KeyPair pair;

    Issuer() throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        pair = generator.generateKeyPair();
    }

    /// Its keys, RFC 7517.
    String keys() {
        var key = (RSAPublicKey) pair.getPublic();
        var modulus = key.getModulus().toByteArray();
        return "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"pier\",\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"}]}"
                .formatted(
                        BASE64.encodeToString(Arrays.copyOfRange(modulus, modulus.length - 256, modulus.length)),
                        BASE64.encodeToString(key.getPublicExponent().toByteArray()));
    }

    String token(String issuer, String audience, long expires) throws GeneralSecurityException {
        var text = part("{\"alg\":\"RS256\",\"kid\":\"pier\"}") + "."
                + part("{\"iss\":\"%s\",\"sub\":\"mate\",\"aud\":\"%s\",\"exp\":%d}"
                        .formatted(issuer, audience, expires));
        var signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(pair.getPrivate());
        signature.update(text.getBytes(StandardCharsets.US_ASCII));
        return text + "." + BASE64.encodeToString(signature.sign());
    }

    private static String part(String json) {
        return BASE64.encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }
}
