package dev.culvert.kube.object;

/// A ConfigMap with an entry `ca.crt`. No other is read.
/// @param authorities PEM, of those that sign others' certificates
public record AuthorityMap(Metadata metadata, String authorities, Place place) implements KubeObject {
    public static final String ENTRY = "ca.crt";
    /// What the cluster puts into each namespace is about its own API server.
    public static final String OF_CLUSTER = "kube-root-ca.crt";
}
