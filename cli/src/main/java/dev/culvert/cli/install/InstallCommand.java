package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `culvert install`.
@Command(
        name = "install",
        mixinStandardHelpOptions = true,
        description = "Installs the mesh in a cluster, or changes what is installed, and waits until it serves.")
public final class InstallCommand implements Callable<Integer> {
    private static final String RELEASE = "culvert";
    private static final long POLL_MILLIS = 500;
    private static final String ENFORCE = "pod-security.kubernetes.io/enforce";

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"-f", "--values"},
            paramLabel = "FILE",
            description = "Values for the charts (charts/culvert/values.yaml says which); may be repeated.")
    List<Path> files = List.of();

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "One value, such as global.hub=registry.example/culvert; may be repeated.")
    Map<String, String> sets = new LinkedHashMap<>();

    @Option(names = "--dry-run", description = "Only prints the objects.")
    boolean dryRun;

    @Option(
            names = "--readiness-timeout",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long to wait until all parts serve (default: ${DEFAULT-VALUE}).")
    int timeoutSeconds;

    @Spec
    CommandSpec spec = CommandSpec.create();

    private @Nullable Progress progress;

    @Override
    public Integer call() throws IOException, InterruptedException {
        var all = new LinkedHashMap<>(sets);
        all.putIfAbsent("base.createNamespace", "true");
        var objects = Charts.render(new Charts.Values(RELEASE, cluster.namespace, files, all));
        var out = spec.commandLine().getOut();
        if (dryRun) {
            out.print(Documents.yaml(objects));
            out.flush();
            return 0;
        }
        progress = Progress.on(out);
        try (var client = cluster.client()) {
            var target = new Cluster(client);
            var wanted = checked(target, objects);
            for (var object : wanted) {
                progress.doing("applying " + object.get("kind") + " " + Documents.name(object));
                target.apply(object);
            }
            progress.done(wanted.size() + " objects are applied");
            await(target);
        }
        progress.done("the mesh is installed; enrol a namespace by its label istio.io/dataplane-mode=ambient");
        return 0;
    }

    /// Nothing is applied before everything may be.
    private List<Map<String, Object>> checked(Cluster target, List<Map<String, Object>> objects) throws IOException {
        var wanted = new ArrayList<Map<String, Object>>();
        var foreign = new ArrayList<String>();
        for (var object : objects) {
            var type = Cluster.type(object);
            var name = Documents.name(object);
            var there = target.get(type, Documents.namespace(object), name);
            if (there.isEmpty() || Cluster.isOurs(there.get())) {
                wanted.add(object);
            } else if (type.equals(Cluster.NAMESPACE)) {
                checkNamespace(name, there.get().getMetadata().getLabels());
            } else {
                foreign.add(type.kind() + " " + name);
            }
        }
        if (!foreign.isEmpty()) {
            throw new IOException(
                    "these are somebody else's in this cluster, probably Istio's: %s. Nothing was changed. Uninstall that first"
                            .formatted(String.join(", ", foreign)));
        }
        return wanted;
    }

    /// Somebody else's namespace is left as it is.
    private static void checkNamespace(String name, @Nullable Map<String, String> labels) throws IOException {
        var enforced = labels == null ? null : labels.get(ENFORCE);
        if (enforced != null && !enforced.equals("privileged")) {
            throw new IOException(
                    "namespace %s has %s=%s, under which ztunnel and the node agent cannot run. Nothing was changed. Set it to privileged"
                            .formatted(name, ENFORCE, enforced));
        }
    }

    private void await(Cluster target) throws IOException, InterruptedException {
        var end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        for (var part : Rollout.PARTS) {
            while (true) {
                var rollout = Rollout.of(target, cluster.namespace, part);
                if (rollout.map(Rollout::complete).orElse(true)) {
                    rollout.ifPresent(complete -> shown().done(complete + " ready"));
                    break;
                }
                shown().doing("waiting for " + rollout.get());
                if (System.nanoTime() > end) {
                    throw notReady(target, part, rollout.get());
                }
                Thread.sleep(POLL_MILLIS);
            }
        }
    }

    private Progress shown() {
        if (progress == null) {
            throw new IllegalStateException("not begun");
        }
        return progress;
    }

    private IOException notReady(Cluster target, Part part, Rollout rollout) throws IOException {
        var troubles = Rollout.troubles(target, cluster.namespace, part);
        return new IOException("%s after %d s. %s. What is applied stays; 'kubectl -n %s logs -l app=%s' says more"
                .formatted(
                        rollout,
                        timeoutSeconds,
                        troubles.isEmpty() ? "No pod says why" : String.join("; ", troubles),
                        cluster.namespace,
                        part.name()));
    }
}
