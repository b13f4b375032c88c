package dev.culvert.waypoint.token;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyType;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import java.text.ParseException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The keys of an issuer (RFC 7517). Immutable.
final class Keys {
    private static final int MOST = 100;
    static final Keys NONE = new Keys(List.of());

    private final List<JWK> all;

    private Keys(List<JWK> all) {
        this.all = all;
    }

    /// @throws IllegalArgumentException for what is no set of keys
    static Keys parse(String json) {
        try {
            var all = JWKSet.parse(json).getKeys();
            return new Keys(List.copyOf(all.subList(0, Math.min(all.size(), MOST))));
        } catch (ParseException | RuntimeException bad) {
            throw new IllegalArgumentException("not a set of keys (RFC 7517): " + bad.getMessage(), bad);
        }
    }

    /// Those that a token may be signed with: of the kind that its algorithm needs, so that a public key is never taken
    /// for a shared secret, and of its key id if it names one.
    List<JWK> fitting(JWSHeader header) {
        return all.stream().filter(key -> fits(key, header)).toList();
    }

    private static boolean fits(JWK key, JWSHeader header) {
        return key.getKeyType().equals(type(header))
                && (header.getKeyID() == null
                        || key.getKeyID() == null
                        || header.getKeyID().equals(key.getKeyID()))
                && (key.getAlgorithm() == null || key.getAlgorithm().equals(header.getAlgorithm()))
                && (key.getKeyUse() == null || key.getKeyUse().equals(KeyUse.SIGNATURE))
                && fitsCurve(key, header);
    }

    private static @Nullable KeyType type(JWSHeader header) {
        return switch (header.getAlgorithm().getName()) {
            case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" -> KeyType.RSA;
            case "ES256", "ES384", "ES512" -> KeyType.EC;
            case "EdDSA", "Ed25519" -> KeyType.OKP;
            case "HS256", "HS384", "HS512" -> KeyType.OCT;
            default -> null;
        };
    }

    private static boolean fitsCurve(JWK key, JWSHeader header) {
        return switch (key) {
            case ECKey ec -> Curve.forJWSAlgorithm(header.getAlgorithm()).contains(ec.getCurve());
            case OctetKeyPair pair -> pair.getCurve().equals(Curve.Ed25519);
            default -> true;
        };
    }
}
