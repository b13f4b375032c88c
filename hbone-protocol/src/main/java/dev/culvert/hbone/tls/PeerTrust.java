package dev.culvert.hbone.tls;

import io.netty.handler.ssl.OpenSslCertificateException;
import io.netty.internal.tcnative.CertificateVerifier;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/// Whether a peer's chain leads to our roots, is valid now and made for its use. Verdicts are cached by chain until
/// the first certificate in it expires. No name is checked here: SPIFFE ids are compared by whoever knows the
/// expected ones. Thread-safe: the cache is guarded by this object.
final class PeerTrust extends X509ExtendedTrustManager {
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final int MAX_CACHED = 2048;
    private static final int MAX_CHAIN = 8;

    private final PKIXParameters parameters;
    private final X509Certificate[] roots;
    private final String trustDomain;
    private final Revocation revocation;

    @SuppressWarnings("serial")
    private final Map<String, Instant> goodUntil = new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Instant> eldest) {
            return size() > MAX_CACHED;
        }
    };

    /// @param trustDomain of the local workload: a client must have an identity in it
    PeerTrust(List<X509Certificate> roots, String trustDomain, Revocation revocation) {
        this.roots = roots.toArray(X509Certificate[]::new);
        this.trustDomain = trustDomain;
        this.revocation = revocation;
        try {
            parameters = new PKIXParameters(
                    roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet()));
        } catch (InvalidAlgorithmParameterException impossible) {
            throw new IllegalArgumentException("roots: " + roots, impossible);
        }
        parameters.setRevocationEnabled(false);
    }

    private void check(X509Certificate[] chain, String usage) throws CertificateException {
        checkChain(chain, usage);
        var revoked = revoked(Arrays.asList(chain));
        if (revoked.isPresent()) {
            countRevoked(usage.equals(SERVER_AUTH));
            // So that the peer is told why, by the alert `certificate_revoked` (RFC 8446 §6.2).
            throw new OpenSslCertificateException(revoked.get(), CertificateVerifier.X509_V_ERR_CERT_REVOKED);
        }
    }

    void countRevoked(boolean server) {
        revocation.count(server);
    }

    Optional<String> revoked(List<X509Certificate> chain) {
        return revocation
                .revokedOf(chain, Arrays.asList(roots))
                .map(certificate -> "certificate " + certificate.getSerialNumber() + " of "
                        + certificate.getIssuerX500Principal() + " is revoked");
    }

    private void checkChain(X509Certificate[] chain, String usage) throws CertificateException {
        if (chain.length == 0 || chain.length > MAX_CHAIN) {
            throw new CertificateException("a chain of " + chain.length + " certificates");
        }
        var now = Instant.now();
        var key = usage + fingerprint(chain);
        synchronized (this) {
            var until = goodUntil.get(key);
            if (until != null && now.isBefore(until)) {
                return;
            }
        }
        validate(chain, usage);
        var until = Arrays.stream(chain)
                .map(certificate -> certificate.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElse(now);
        synchronized (this) {
            goodUntil.put(key, until);
        }
    }

    private void validate(X509Certificate[] chain, String usage) throws CertificateException {
        var leaf = chain[0];
        var usages = leaf.getExtendedKeyUsage();
        if (usages != null && !usages.contains(usage)) {
            throw new CertificateException("the certificate is not made for this use: " + usages);
        }
        try {
            var path = CertificateFactory.getInstance("X.509").generateCertPath(withoutRoot(chain));
            CertPathValidator.getInstance("PKIX").validate(path, parameters);
        } catch (GeneralSecurityException bad) {
            throw new CertificateException("peer certificate not trusted: " + bad.getMessage(), bad);
        }
        var ids = PeerIdentities.of(leaf);
        if (usage.equals(CLIENT_AUTH)
                && ids.stream().noneMatch(id -> id.trustDomain().equals(trustDomain))) {
            throw new CertificateException("no identity of trust domain " + trustDomain + ": " + ids);
        }
    }

    private List<X509Certificate> withoutRoot(X509Certificate[] chain) {
        var last = chain[chain.length - 1];
        var sentRoot = chain.length > 1 && Arrays.asList(roots).contains(last);
        return Arrays.asList(chain).subList(0, sentRoot ? chain.length - 1 : chain.length);
    }

    private static String fingerprint(X509Certificate[] chain) throws CertificateException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var certificate : chain) {
                digest.update(certificate.getEncoded());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException impossible) {
            throw new CertificateException(impossible);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, CLIENT_AUTH);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, SERVER_AUTH);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain, CLIENT_AUTH);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain, SERVER_AUTH);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, CLIENT_AUTH);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, SERVER_AUTH);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return roots.clone();
    }
}
