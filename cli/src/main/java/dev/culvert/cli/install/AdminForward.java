package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/// Asks the admin port of a pod by port-forward, with the user's own rights.
record AdminForward(KubernetesClient client) {
    private static final int ADMIN_PORT = 15000;
    private static final Duration MOST = Duration.ofSeconds(30);

    /// @param method GET or POST
    String ask(Pod pod, String method, String path) throws IOException {
        var metadata = pod.getMetadata();
        try (var forward = client.pods()
                .inNamespace(metadata.getNamespace())
                .withName(metadata.getName())
                .portForward(ADMIN_PORT)) {
            var uri = URI.create("http://127.0.0.1:" + forward.getLocalPort() + path);
            return send(metadata.getName(), method, uri);
        }
    }

    private static String send(String pod, String method, URI uri) throws IOException {
        var request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(MOST)
                .build();
        try (var http = HttpClient.newHttpClient()) {
            var response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException(pod + " answers " + response.statusCode() + ": "
                        + response.body().strip());
            }
            return response.body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
