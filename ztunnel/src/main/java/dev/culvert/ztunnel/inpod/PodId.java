package dev.culvert.ztunnel.inpod;

/// A pod as the node agent names it.
/// @param uid Kubernetes uid; not the workload uid of xDS
public record PodId(String uid, String namespace, String name, String serviceAccount) {
    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
