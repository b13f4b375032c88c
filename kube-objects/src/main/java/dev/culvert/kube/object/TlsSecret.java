package dev.culvert.kube.object;

/// A Secret of type `kubernetes.io/tls`. No other type is read.
/// @param certificate PEM, the leaf first
/// @param privateKey PEM
public record TlsSecret(Metadata metadata, String certificate, String privateKey, Place place) implements KubeObject {
    public static final String TYPE = "kubernetes.io/tls";

    /// Without the key.
    @Override
    public String toString() {
        return key() + "[***]";
    }
}
