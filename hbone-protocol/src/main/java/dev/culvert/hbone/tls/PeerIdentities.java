package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/// The SPIFFE ids in a certificate's URI SANs, in their order; others are skipped.
public final class PeerIdentities {
    private static final Integer URI = 6;

    private PeerIdentities() {}

    public static List<SpiffeId> of(X509Certificate leaf) {
        var ids = new ArrayList<SpiffeId>(1);
        try {
            var names = leaf.getSubjectAlternativeNames();
            if (names == null) {
                return List.of();
            }
            for (var name : names) {
                if (URI.equals(name.getFirst()) && name.get(1) instanceof String uri) {
                    SpiffeId.parse(uri).ifPresent(ids::add);
                }
            }
        } catch (CertificateParsingException _) {
            return List.of();
        }
        return List.copyOf(ids);
    }
}
