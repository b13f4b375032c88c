package dev.culvert.hbone.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.x500.X500Principal;

/// Certificate revocation lists (RFC 5280 §5), as one file said them. What no list of a certificate's issuer names is
/// taken for good: a missing or outdated list revokes nothing, as in Istio. Immutable but for a cache; thread-safe.
public final class RevocationLists {
    public static final RevocationLists NONE = new RevocationLists(List.of());

    private static final String PEM_BEGIN = "-----BEGIN";
    private static final int MAX_LISTS = 1000;

    private final Map<X500Principal, List<SignedList>> byIssuer = new HashMap<>();
    private final int count;

    private RevocationLists(List<X509CRL> lists) {
        for (var list : lists) {
            byIssuer.computeIfAbsent(list.getIssuerX500Principal(), _ -> new ArrayList<>())
                    .add(new SignedList(list));
        }
        count = lists.size();
    }

    /// @param file any number of PEM blocks, or one list in DER; empty for none
    /// @throws IOException if anything in it cannot be read: half of the lists would let the other half pass
    public static RevocationLists parse(byte[] file) throws IOException {
        var text = new String(file, StandardCharsets.ISO_8859_1);
        if (text.isBlank()) {
            return NONE;
        }
        try {
            var lists = new ArrayList<X509CRL>();
            for (var list : CertificateFactory.getInstance("X.509").generateCRLs(new ByteArrayInputStream(file))) {
                lists.add((X509CRL) list);
            }
            var expected = text.contains(PEM_BEGIN) ? text.split(PEM_BEGIN, -1).length - 1 : 1;
            if (lists.size() != expected || lists.size() > MAX_LISTS) {
                throw new IOException(
                        "%d revocation lists where %d were expected (at most %d); each PEM block must be an X509 CRL"
                                .formatted(lists.size(), expected, MAX_LISTS));
            }
            return new RevocationLists(lists);
        } catch (CRLException e) {
            throw new IOException("not a revocation list: " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new IOException("X.509 is not available: " + e.getMessage(), e);
        }
    }

    public int count() {
        return count;
    }

    /// The first certificate of the chain that its issuer has revoked.
    /// @param chain leaf first
    /// @param roots whose keys may have signed lists
    public Optional<X509Certificate> revokedOf(List<X509Certificate> chain, List<X509Certificate> roots) {
        if (byIssuer.isEmpty()) {
            return Optional.empty();
        }
        return chain.stream()
                .filter(certificate -> isRevoked(certificate, chain, roots))
                .findFirst();
    }

    private boolean isRevoked(X509Certificate certificate, List<X509Certificate> chain, List<X509Certificate> roots) {
        var issuer = certificate.getIssuerX500Principal();
        return byIssuer.getOrDefault(issuer, List.of()).stream()
                .filter(list -> list.crl.isRevoked(certificate))
                .anyMatch(list -> list.isSignedByOneOf(issuer, chain) || list.isSignedByOneOf(issuer, roots));
    }

    /// A list, and whose keys have been found to have signed it or not.
    private static final class SignedList {
        private static final int MAX_KEYS = 100;

        private final X509CRL crl;
        private final Map<PublicKey, Boolean> signedBy = new ConcurrentHashMap<>();

        SignedList(X509CRL crl) {
            this.crl = crl;
        }

        boolean isSignedByOneOf(X500Principal issuer, List<X509Certificate> candidates) {
            return candidates.stream()
                    .filter(candidate -> candidate.getSubjectX500Principal().equals(issuer))
                    .anyMatch(candidate -> isSignedBy(candidate.getPublicKey()));
        }

        private boolean isSignedBy(PublicKey key) {
            if (signedBy.size() > MAX_KEYS) {
                signedBy.clear(); // strangers bring keys
            }
            return signedBy.computeIfAbsent(key, this::verify);
        }

        private boolean verify(PublicKey key) {
            try {
                crl.verify(key);
                return true;
            } catch (GeneralSecurityException notByThisKey) {
                return false;
            }
        }
    }
}
