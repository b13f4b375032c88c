package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import dev.culvert.cli.install.Upgrade.Piece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `culvert install`.
@Command(
        name = "install",
        mixinStandardHelpOptions = true,
        description = "Installs the mesh in a cluster, or changes what is installed, and waits until it serves.")
public final class InstallCommand implements Callable<Integer> {
    static final String RELEASE = "culvert";
    private static final List<Part> PARTS = List.of(Rollout.CONTROLLER, Rollout.AGENT, Rollout.ZTUNNEL);

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

    @Option(
            names = {"-r", "--revision"},
            paramLabel = "REV",
            defaultValue = "",
            description = "Only a controller of this revision, beside the others: docs/upgrade.md.")
    String revision = "";

    @Option(
            names = "--take-over",
            paramLabel = "PART",
            description = "Puts this part in the place of Istio's, and leaves the others: ${COMPLETION-CANDIDATES}.")
    @Nullable
    Piece takeOver;

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

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (takeOver != null && !revision.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "--take-over is of what has no revision; give it or --revision");
        }
        var all = new LinkedHashMap<>(sets);
        all.putIfAbsent("base.createNamespace", "true");
        if (!revision.isEmpty()) {
            all.put("istiod.revision", revision);
        }
        var values = KeptValues.of(files, all);
        var objects = values.render(RELEASE, cluster.namespace).stream()
                .filter(this::isMeant)
                .toList();
        var out = spec.commandLine().getOut();
        if (dryRun) {
            out.print(Documents.yaml(objects));
            out.flush();
            return 0;
        }
        var progress = Progress.on(out);
        try (var client = cluster.client()) {
            var target = new Cluster(client);
            var installer = new Installer(target, cluster.namespace, progress, timeoutSeconds);
            if (takeOver != null) {
                var one = new TakeOver(target, cluster.namespace);
                one.check(takeOver, objects);
                values.save(target, cluster.namespace, Revisions.DEFAULT);
                one.run(takeOver, objects, installer);
                progress.done(takeOver.word()
                        + " is ours. What Istio's installation remembers of it still names these objects: do not uninstall"
                        + " that release, docs/upgrade.md says how it is left");
                return 0;
            }
            if (revision.isEmpty()) {
                new IstioParts(target, cluster.namespace).requireNone();
            }
            installer.apply(installer.checked(objects));
            values.save(target, cluster.namespace, revision.isEmpty() ? Revisions.DEFAULT : revision);
            for (var part : revision.isEmpty() ? PARTS : List.of(Rollout.controller(revision))) {
                installer.await(part);
            }
        }
        progress.done(
                revision.isEmpty()
                        ? "the mesh is installed; enrol a namespace by its label istio.io/dataplane-mode=ambient"
                        : "revision %s is installed; a namespace is its own by the label istio.io/rev=%1$s"
                                .formatted(revision));
        return 0;
    }

    private boolean isMeant(Map<String, Object> object) {
        var app = Documents.label(object, "app");
        if (takeOver != null) {
            return takeOver.app().equals(app);
        }
        return revision.isEmpty() || List.of("culvert", "istiod").contains(app);
    }
}
