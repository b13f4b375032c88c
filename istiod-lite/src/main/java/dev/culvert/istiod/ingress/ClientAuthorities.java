package dev.culvert.istiod.ingress;

import dev.culvert.istiod.ca.PemText;
import dev.culvert.kube.object.AuthorityMap;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Gateway.ObjectRef;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ReferenceGrant;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Who signs the certificates that clients of a listener have to show (`spec.tls.frontend` of its Gateway).
/// @param certificates of those that could be had
/// @param wrong the first reference that could not be followed
record ClientAuthorities(List<X509Certificate> certificates, Optional<Verdict> wrong) {
    private static final int MAX_CERTIFICATES = 100;
    private static final String INVALID = "InvalidCACertificateRef";

    ClientAuthorities {
        certificates = List.copyOf(certificates);
    }

    static ClientAuthorities of(List<ObjectRef> refs, Gateway gateway, ObjectSet objects) {
        var all = new ArrayList<X509Certificate>();
        Optional<Verdict> first = Optional.empty();
        for (var ref : refs) {
            var wrong = read(ref, gateway, objects, all);
            first = first.isPresent() ? first : wrong;
        }
        return new ClientAuthorities(all, first);
    }

    private static Optional<Verdict> read(ObjectRef ref, Gateway gateway, ObjectSet objects, List<X509Certificate> to) {
        var name = ref.namespace() + "/" + ref.name();
        if (!ref.group().isEmpty() || !ref.kind().equals("ConfigMap")) {
            return Optional.of(Verdict.no(
                    "InvalidCACertificateKind",
                    "a " + ref.kind() + " holds no authorities of clients: write group: \"\" and kind: ConfigMap"));
        }
        var granted = ref.namespace().equals(gateway.namespace())
                || objects.all(ReferenceGrant.class).stream()
                        .anyMatch(grant -> grant.namespace().equals(ref.namespace())
                                && grant.allows(gateway, "ConfigMap", ref.name()));
        if (!granted) {
            return Optional.of(Verdict.no(
                    "RefNotPermitted",
                    "no ReferenceGrant in namespace " + ref.namespace() + " lets a Gateway of namespace "
                            + gateway.namespace() + " name ConfigMap " + ref.name()));
        }
        var map = objects.find(AuthorityMap.class, Kind.CONFIG_MAP, ref.namespace(), ref.name());
        if (map.isEmpty()) {
            return Optional.of(
                    Verdict.no(INVALID, "there is no ConfigMap " + name + " with an entry " + AuthorityMap.ENTRY));
        }
        try {
            to.addAll(PemText.certificates(AuthorityMap.ENTRY, map.get().authorities(), MAX_CERTIFICATES));
            return Optional.empty();
        } catch (GeneralSecurityException bad) {
            return Optional.of(Verdict.no(INVALID, "ConfigMap " + name + ": " + bad.getMessage()));
        }
    }
}
