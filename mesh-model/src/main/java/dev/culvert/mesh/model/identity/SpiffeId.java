package dev.culvert.mesh.model.identity;

import java.util.Optional;

/// A workload's identity, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` (Istio's form of a SPIFFE
/// id).
public record SpiffeId(String trustDomain, String namespace, String serviceAccount) {
    private static final String SCHEME = "spiffe://";

    public SpiffeId {
        requireSegment("trust domain", trustDomain);
        requireSegment("namespace", namespace);
        requireSegment("service account", serviceAccount);
    }

    private static void requireSegment(String what, String value) {
        if (value.isEmpty() || value.indexOf('/') >= 0) {
            throw new IllegalArgumentException("not a " + what + " of an identity: '" + value + "'");
        }
    }

    /// Empty if `uri` is not exactly of Istio's form.
    public static Optional<SpiffeId> parse(String uri) {
        if (!uri.startsWith(SCHEME)) {
            return Optional.empty();
        }
        var parts = uri.substring(SCHEME.length()).split("/", -1);
        if (parts.length != 5 || !parts[1].equals("ns") || !parts[3].equals("sa")) {
            return Optional.empty();
        }
        if (parts[0].isEmpty() || parts[2].isEmpty() || parts[4].isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new SpiffeId(parts[0], parts[2], parts[4]));
    }

    /// The form that `principals` of a policy are compared with: without `spiffe://`.
    public String principal() {
        return trustDomain + "/ns/" + namespace + "/sa/" + serviceAccount;
    }

    @Override
    public String toString() {
        return SCHEME + principal();
    }
}
