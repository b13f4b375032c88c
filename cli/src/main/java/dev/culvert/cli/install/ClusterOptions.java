package dev.culvert.cli.install;

import dev.culvert.daemon.config.Env;
import dev.culvert.kube.client.KubernetesClients;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Which cluster is meant, and where in it the mesh is.
public final class ClusterOptions {
    @Option(
            names = {"-c", "--kubeconfig"},
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "Which cluster (KUBECONFIG).")
    @Nullable
    Path kubeconfig;

    @Option(
            names = {"-i", "--istioNamespace", "--system-namespace"},
            paramLabel = "NAMESPACE",
            scope = ScopeType.INHERIT,
            defaultValue = "istio-system",
            description = "Where the mesh itself runs (default: ${DEFAULT-VALUE}).")
    String namespace = "istio-system";

    /// Whether the command line names one.
    public boolean isNamed() {
        return kubeconfig != null;
    }

    /// Whether the environment does.
    public boolean isKnown() {
        return Env.ofProcess().get("KUBECONFIG").isPresent();
    }

    /// @return the caller closes it
    KubernetesClient client() throws IOException {
        return KubernetesClients.open(kubeconfig, Env.ofProcess().variables());
    }
}
