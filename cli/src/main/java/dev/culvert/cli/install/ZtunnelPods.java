package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/// The ztunnels of a cluster, and their admin pages.
public final class ZtunnelPods implements AutoCloseable {
    private final KubernetesClient client;
    private final String namespace;

    public ZtunnelPods(ClusterOptions options) throws IOException {
        this.client = options.client();
        this.namespace = options.namespace;
    }

    /// What one answered.
    public record Answer(String node, String text) {}

    /// @param node null for the first
    /// @param method GET or POST
    public Answer ask(@Nullable String node, String method, String path) throws IOException {
        try {
            var pod = pod(node);
            return new Answer(pod.getSpec().getNodeName(), new AdminForward(client).ask(pod, method, path));
        } catch (KubernetesClientException e) {
            throw new IOException("the API server cannot be asked for ztunnels: " + e.getMessage(), e);
        }
    }

    private Pod pod(@Nullable String node) throws IOException {
        return client.pods().inNamespace(namespace).withLabel("app", "ztunnel").list().getItems().stream()
                .filter(pod -> pod.getSpec().getNodeName() != null)
                .filter(pod -> node == null || node.equals(pod.getSpec().getNodeName()))
                .min(Comparator.comparing(pod -> pod.getSpec().getNodeName()))
                .orElseThrow(
                        () -> new IOException("there is no ztunnel " + (node == null ? "" : "on node " + node + " ")
                                + "in namespace " + namespace + "; is the mesh installed there?"));
    }

    @Override
    public void close() {
        client.close();
    }
}
