package dev.culvert.waypoint.edge;

import dev.culvert.protos.waypoint.ServerCertificate;
import dev.culvert.waypoint.route.HostMap;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;

/// TLS for each certificate, on BoringSSL, made once as long as the certificate stays. For one thread.
final class ServerContexts {
    private static final ApplicationProtocolConfig ALPN = new ApplicationProtocolConfig(
            Protocol.ALPN,
            SelectorFailureBehavior.NO_ADVERTISE,
            SelectedListenerFailureBehavior.ACCEPT,
            "h2",
            "http/1.1");
    /// TLS 1.2 without what HTTP/2 forbids (RFC 9113 §9.2.2); those of TLS 1.3 cannot be chosen.
    private static final List<String> SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private Map<ServerCertificate, Served> known = new HashMap<>();
    private Map<ServerCertificate, Served> next = new HashMap<>();

    /// @param names that the certificate is for
    record Served(SslContext context, HostMap<Boolean> names) {}

    /// @throws IllegalArgumentException if BoringSSL cannot use it; the message has nothing of the key
    Served of(ServerCertificate certificate) {
        var served = known.get(certificate);
        if (served == null) {
            served = next.get(certificate);
        }
        if (served == null) {
            served = make(certificate);
        }
        next.put(certificate, served);
        return served;
    }

    /// Forgets what was not asked for since the last time.
    void retain() {
        known = next;
        next = new HashMap<>();
    }

    private static Served make(ServerCertificate certificate) {
        try {
            var chain = new ArrayList<X509Certificate>();
            var factory = CertificateFactory.getInstance("X.509");
            for (var one : certificate.getChainList()) {
                chain.add((X509Certificate) factory.generateCertificate(one.newInput()));
            }
            if (chain.isEmpty()) {
                throw new GeneralSecurityException("no certificate");
            }
            var key = key(certificate, chain.getFirst().getPublicKey().getAlgorithm());
            requirePair(key, chain.getFirst());
            var context = SslContextBuilder.forServer(key, chain.toArray(X509Certificate[]::new))
                    .sslProvider(SslProvider.OPENSSL)
                    .keyStoreType("JKS") // see HboneTls: the default one is slow
                    .protocols("TLSv1.3", "TLSv1.2")
                    .ciphers(SUITES)
                    .applicationProtocolConfig(ALPN)
                    .build();
            return new Served(context, names(chain.getFirst()));
        } catch (GeneralSecurityException | IOException unusable) {
            throw new IllegalArgumentException(
                    "a certificate or its key cannot be used: "
                            + unusable.getClass().getSimpleName(),
                    unusable);
        }
    }

    private static PrivateKey key(ServerCertificate certificate, String algorithm) throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm)
                .generatePrivate(
                        new PKCS8EncodedKeySpec(certificate.getPrivateKey().toByteArray()));
    }

    /// BoringSSL would tell only when the first client comes.
    private static void requirePair(PrivateKey key, X509Certificate leaf) throws GeneralSecurityException {
        var algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        var sign = Signature.getInstance(algorithm);
        sign.initSign(key);
        var signed = sign.sign();
        var verify = Signature.getInstance(algorithm);
        verify.initVerify(leaf);
        if (!verify.verify(signed)) {
            throw new GeneralSecurityException("not a pair");
        }
    }

    /// Read leniently: the JDK refuses all names for one that it does not like, such as a URI without a scheme.
    private static HostMap<Boolean> names(X509Certificate leaf) throws GeneralSecurityException {
        var names = new HashMap<String, Boolean>();
        var all = GeneralNames.fromExtensions(
                new JcaX509CertificateHolder(leaf).getExtensions(), Extension.subjectAlternativeName);
        if (all != null) {
            for (var name : all.getNames()) {
                var text =
                        name.getTagNo() == GeneralName.dNSName ? name.getName().toString() : "";
                if (isHost(text)) {
                    names.put(text, true);
                }
            }
        }
        return new HostMap<>(names);
    }

    private static boolean isHost(String text) {
        return !text.isEmpty() && text.lastIndexOf('*') <= 0 && (!text.startsWith("*") || text.startsWith("*."));
    }
}
