package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;

/// Chains and revocation lists as a stranger could bring them. Nothing but the chain that our root signed is trusted,
/// and identities are read from whatever can be read.
public final class CertificatesFuzz {
    private static final Good GOOD = Good.make();

    private CertificatesFuzz() {}

    /// @param chain leaf first
    private record Good(List<X509Certificate> chain, PeerTrust trust, X509CRL lists) {
        static Good make() {
            try {
                var root = Authority.root("CN=root");
                var middle = root.intermediate("CN=middle");
                var id = new SpiffeId("cluster.local", "shop", "cart");
                var leaf = middle.workload(id, List.of(middle.certificate), root.certificate);
                var trust = new PeerTrust(List.of(root.certificate), "cluster.local", new Revocation());
                return new Good(leaf.chain(), trust, root.revoking(middle.certificate));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    static List<byte[]> samples() {
        var chain = new ByteArrayOutputStream();
        try {
            for (var certificate : GOOD.chain) {
                chain.writeBytes(certificate.getEncoded());
            }
        } catch (CertificateException e) {
            throw new AssertionError(e);
        }
        return List.of(chain.toByteArray(), encoded(GOOD.lists));
    }

    private static byte[] encoded(X509CRL lists) {
        try {
            return lists.getEncoded();
        } catch (CRLException e) {
            throw new AssertionError(e);
        }
    }

    public static void fuzzerTestOneInput(byte[] data) {
        lists(data);
        X509Certificate[] chain;
        try {
            chain =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(data))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toArray(X509Certificate[]::new);
        } catch (CertificateException _) {
            return;
        }
        for (var certificate : chain) {
            PeerIdentities.of(certificate);
        }
        check(chain);
        var behindOurs = new X509Certificate[chain.length + 1];
        behindOurs[0] = GOOD.chain.getFirst();
        System.arraycopy(chain, 0, behindOurs, 1, chain.length);
        check(behindOurs);
    }

    private static void check(X509Certificate[] chain) {
        try {
            GOOD.trust.checkClientTrusted(chain, "UNKNOWN");
        } catch (CertificateException _) {
            return;
        }
        if (chain.length < 2 || !Arrays.asList(chain).subList(0, 2).equals(GOOD.chain.subList(0, 2))) {
            throw new AssertionError("trusted: " + Arrays.toString(chain));
        }
    }

    private static void lists(byte[] data) {
        try {
            RevocationLists.parse(data).revokedOf(GOOD.chain, List.of());
        } catch (IOException _) {
            return;
        }
    }
}
