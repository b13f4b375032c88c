package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.Comparator;

/// The waypoints of a cluster, and their admin pages.
public final class GatewayPods implements AutoCloseable {
    private static final String GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

    private final KubernetesClient client;

    public GatewayPods(ClusterOptions options) throws IOException {
        this.client = options.client();
    }

    /// Asks the first of a Gateway's pods that runs, or a pod of that name.
    /// @param name of the Gateway, or of one of its pods
    /// @param method GET or POST
    public String ask(String namespace, String name, String method, String path) throws IOException {
        try {
            return new AdminForward(client).ask(pod(namespace, name), method, path);
        } catch (KubernetesClientException e) {
            throw new IOException("the API server cannot be asked for waypoints: " + e.getMessage(), e);
        }
    }

    private Pod pod(String namespace, String name) throws IOException {
        return client.pods().inNamespace(namespace).withLabel(GATEWAY_NAME).list().getItems().stream()
                .filter(pod -> "Running".equals(pod.getStatus().getPhase()))
                .filter(pod -> name.equals(pod.getMetadata().getName())
                        || name.equals(pod.getMetadata().getLabels().get(GATEWAY_NAME)))
                .min(Comparator.comparing(pod -> pod.getMetadata().getName()))
                .orElseThrow(() -> new IOException("no waypoint " + name + " runs in namespace " + namespace
                        + "; culvert waypoint list -A names those that there are"));
    }

    @Override
    public void close() {
        client.close();
    }
}
