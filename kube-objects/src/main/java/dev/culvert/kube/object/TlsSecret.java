package dev.culvert.kube.object;

import java.util.Set;

/// A Secret of type `kubernetes.io/tls`, or one of no type that holds what such a one does, by the names that Istio
/// gives it. No other is read.
/// @param type as written
/// @param certificate PEM, the leaf first; empty if it has authorities only
/// @param privateKey PEM; empty with the certificate
/// @param authorities PEM, of those that sign others' certificates; empty if it has none
public record TlsSecret(
        Metadata metadata, String type, String certificate, String privateKey, String authorities, Place place)
        implements KubeObject {
    public static final String TYPE = "kubernetes.io/tls";
    /// Of Secrets that anybody may put anything into.
    public static final Set<String> GENERIC = Set.of("", "Opaque", "generic");

    public boolean isTls() {
        return type.equals(TYPE);
    }

    /// Without the key.
    @Override
    public String toString() {
        return key() + "[***]";
    }
}
