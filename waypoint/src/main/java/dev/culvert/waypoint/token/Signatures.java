package dev.culvert.waypoint.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;

/// Whether a key made a signature (RFC 7515).
final class Signatures {
    private Signatures() {}

    static boolean isBy(JWK key, JWSObject token) {
        try {
            return switch (key) {
                case RSAKey rsa -> token.verify(new RSASSAVerifier(rsa.toRSAPublicKey()));
                case ECKey ec -> token.verify(new ECDSAVerifier(ec.toECPublicKey()));
                case OctetSequenceKey secret -> token.verify(new MACVerifier(secret));
                case OctetKeyPair pair -> isByEd25519(pair, token);
                default -> false;
            };
        } catch (JOSEException | GeneralSecurityException | IllegalStateException | IllegalArgumentException no) {
            return false;
        }
    }

    /// RFC 8037 §3.1, by the JDK.
    private static boolean isByEd25519(OctetKeyPair pair, JWSObject token) throws GeneralSecurityException {
        var little = pair.getDecodedX();
        if (little.length != 32) {
            return false;
        }
        var odd = (little[31] & 0x80) != 0;
        var big = new byte[little.length];
        for (var i = 0; i < little.length; i++) {
            big[i] = little[little.length - 1 - i];
        }
        big[0] &= 0x7f;
        var point = new EdECPoint(odd, new BigInteger(1, big));
        var signature = Signature.getInstance("Ed25519");
        signature.initVerify(KeyFactory.getInstance("Ed25519")
                .generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, point)));
        signature.update(token.getSigningInput());
        return signature.verify(token.getSignature().decode());
    }
}
