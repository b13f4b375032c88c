package dev.culvert.waypoint.edge;

import com.google.protobuf.ByteString;
import dev.culvert.protos.waypoint.ClientValidation;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.ServerCertificate;
import dev.culvert.waypoint.route.HostMap;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
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
import org.jspecify.annotations.Nullable;

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

    private Map<Wanted, Served> known = new HashMap<>();
    private Map<Wanted, Served> next = new HashMap<>();

    /// Versions that we speak.
    private static final List<String> VERSIONS = List.of("TLSv1.2", "TLSv1.3");

    /// @param http whether clients agree upon a version of HTTP; bytes have no name that they could agree upon
    /// @param clients null if they are not asked for a certificate
    private record Wanted(
            ServerCertificate certificate,
            boolean http,
            @Nullable ClientValidation clients,
            List<String> versions) {}

    /// @param names that the certificate is for
    record Served(SslContext context, HostMap<Boolean> names) {}

    /// @param listener that shows it
    /// @throws IllegalArgumentException if BoringSSL cannot use it; the message has nothing of the key
    Served of(ServerCertificate certificate, GatewayListener listener) {
        var wanted = new Wanted(
                certificate,
                listener.getContent() == Content.HTTP,
                listener.hasClients() ? listener.getClients() : null,
                versions(listener));
        var served = known.get(wanted);
        if (served == null) {
            served = next.get(wanted);
        }
        if (served == null) {
            served = make(wanted);
        }
        next.put(wanted, served);
        return served;
    }

    private static List<String> versions(GatewayListener listener) {
        var first = listener.getMinVersion().isEmpty() ? 0 : VERSIONS.indexOf(listener.getMinVersion());
        var last =
                listener.getMaxVersion().isEmpty() ? VERSIONS.size() - 1 : VERSIONS.indexOf(listener.getMaxVersion());
        if (first < 0 || last < first) {
            throw new IllegalArgumentException("listener " + listener.getName() + " has no version of TLS: from "
                    + listener.getMinVersion() + " to " + listener.getMaxVersion());
        }
        return VERSIONS.subList(first, last + 1);
    }

    /// Forgets what was not asked for since the last time.
    void retain() {
        known = next;
        next = new HashMap<>();
    }

    private static Served make(Wanted wanted) {
        var certificate = wanted.certificate;
        try {
            var chain = read(certificate.getChainList());
            if (chain.isEmpty()) {
                throw new GeneralSecurityException("no certificate");
            }
            var key = key(certificate, chain.getFirst().getPublicKey().getAlgorithm());
            requirePair(key, chain.getFirst());
            var builder = SslContextBuilder.forServer(key, chain.toArray(X509Certificate[]::new))
                    .sslProvider(SslProvider.OPENSSL)
                    .keyStoreType("JKS") // see HboneTls: the default one is slow
                    .protocols(wanted.versions)
                    .ciphers(SUITES);
            if (wanted.http) {
                builder.applicationProtocolConfig(ALPN);
            }
            if (wanted.clients != null) {
                builder.trustManager(read(wanted.clients.getAuthoritiesList()).toArray(X509Certificate[]::new))
                        .clientAuth(wanted.clients.getOptional() ? ClientAuth.OPTIONAL : ClientAuth.REQUIRE);
            }
            return new Served(builder.build(), names(chain.getFirst()));
        } catch (GeneralSecurityException | IOException unusable) {
            throw new IllegalArgumentException(
                    "a certificate or its key cannot be used: "
                            + unusable.getClass().getSimpleName(),
                    unusable);
        }
    }

    private static List<X509Certificate> read(List<ByteString> encoded) throws GeneralSecurityException {
        var all = new ArrayList<X509Certificate>();
        var factory = CertificateFactory.getInstance("X.509");
        for (var one : encoded) {
            all.add((X509Certificate) factory.generateCertificate(one.newInput()));
        }
        return all;
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
