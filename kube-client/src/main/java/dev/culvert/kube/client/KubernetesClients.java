package dev.culvert.kube.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Clients of an API server.
public final class KubernetesClients {
    private static final Path IN_POD = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");
    private static final Duration CONNECT = Duration.ofSeconds(5);
    /// A page of a large list from a busy server takes seconds.
    private static final Duration REQUEST = Duration.ofSeconds(30);

    private static final Duration FIRST_RETRY = Duration.ofMillis(500);

    private KubernetesClients() {}

    /// A client for the cluster that `kubeconfig` names, else `KUBECONFIG`, else that in whose pod we run.
    ///
    /// @param environment of the process
    /// @throws IOException if nothing says which cluster, or what does cannot be read
    public static KubernetesClient open(@Nullable Path kubeconfig, Map<String, String> environment) throws IOException {
        var file = Optional.ofNullable(kubeconfig)
                .or(() -> Optional.ofNullable(environment.get("KUBECONFIG"))
                        .filter(name -> !name.isEmpty())
                        .map(Path::of));
        var config = file.isPresent() ? fromFile(file.get()) : inPod(environment);
        config.setConnectionTimeout((int) CONNECT.toMillis());
        config.setRequestTimeout((int) REQUEST.toMillis());
        config.setWatchReconnectInterval((int) FIRST_RETRY.toMillis());
        config.setUserAgent("culvert");
        return new KubernetesClientBuilder()
                .withConfig(config)
                .withKubernetesSerialization(untyped())
                .build();
    }

    /// Objects come as they are; only the end of a watch has to be understood (410 Gone).
    private static KubernetesSerialization untyped() {
        var serialization = new KubernetesSerialization(new ObjectMapper(), false);
        serialization.registerKubernetesResource(Status.class);
        return serialization;
    }

    private static Config fromFile(Path file) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException("the kubeconfig " + file + " cannot be read; is the path right? (several files in"
                    + " KUBECONFIG are not supported)");
        }
        try {
            return Config.fromKubeconfig(file.toFile());
        } catch (KubernetesClientException | IllegalArgumentException wrong) {
            throw new IOException("the kubeconfig " + file + " is not one: " + wrong.getMessage(), wrong);
        }
    }

    private static Config inPod(Map<String, String> environment) throws IOException {
        var host = environment.get("KUBERNETES_SERVICE_HOST");
        var port = environment.get("KUBERNETES_SERVICE_PORT");
        var token = IN_POD.resolve("token");
        if (host == null || port == null || !Files.isReadable(token)) {
            throw new IOException("no cluster: this is no pod with a service account token; give --kubeconfig FILE or"
                    + " set KUBECONFIG");
        }
        var config = Config.empty();
        config.setMasterUrl("https://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port + "/");
        config.setCaCertFile(IN_POD.resolve("ca.crt").toString());
        config.setOauthTokenProvider(() -> read(token)); // the kubelet renews it
        return config;
    }

    private static String read(Path token) {
        try {
            return Files.readString(token).strip();
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }
}
