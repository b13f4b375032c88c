package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import dev.culvert.cli.install.Upgrade.Installed;
import dev.culvert.cli.install.Upgrade.Piece;
import dev.culvert.cli.install.Upgrade.Step;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `culvert upgrade`.
@Command(
        name = "upgrade",
        mixinStandardHelpOptions = true,
        description = {
            "Brings the parts of the mesh in a cluster to the version of this program, one after the other, and waits for each.",
            "What was installed with values keeps them. It can be run again at any time, and goes on where it stopped."
        })
public final class UpgradeCommand implements Callable<Integer> {
    private static final String VERSION = "app.kubernetes.io/version";
    private static final String HELM = "meta.helm.sh/release-name";
    private static final Map<String, String> MANAGED =
            Map.of("gateway.istio.io/managed", "culvert.dev-mesh-controller");

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = "--part",
            paramLabel = "PART",
            description = "Only this one: ${COMPLETION-CANDIDATES}; may be repeated.")
    Set<Piece> chosen = new LinkedHashSet<>();

    @Option(
            names = {"-r", "--revision"},
            paramLabel = "REV",
            defaultValue = Revisions.DEFAULT,
            description = "Whose controller is meant; of another than the default it is the only part.")
    String revision = Revisions.DEFAULT;

    @Option(
            names = {"-f", "--values"},
            paramLabel = "FILE",
            description = "Values for the charts, instead of the files of the installation; may be repeated.")
    List<Path> files = List.of();

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "One value more than those of the installation; may be repeated.")
    Map<String, String> sets = new LinkedHashMap<>();

    @Option(names = "--dry-run", description = "Only says what would be done.")
    boolean dryRun;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long to wait for each part (default: ${DEFAULT-VALUE}).")
    int timeoutSeconds;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (var client = cluster.client()) {
            var target = new Cluster(client);
            var installer = new Installer(
                    target, cluster.namespace, Progress.on(spec.commandLine().getOut()), timeoutSeconds);
            var values = KeptValues.load(target, cluster.namespace, revision).with(KeptValues.of(files, sets));
            var objects = values.render(InstallCommand.RELEASE, cluster.namespace);
            var upgrade = Upgrade.plan(installed(target), chosen, version(objects));
            installer.checked(meant(objects, upgrade));
            show(upgrade);
            if (dryRun) {
                return 0;
            }
            values.save(target, cluster.namespace, revision);
            for (var step : upgrade.steps()) {
                run(step, upgrade, objects, installer);
            }
            installer.progress().done("the mesh is at " + version(objects));
        }
        return 0;
    }

    private List<Installed> installed(Cluster target) throws IOException {
        var all = new ArrayList<Installed>();
        for (var piece : revision.equals(Revisions.DEFAULT) ? Piece.values() : new Piece[] {Piece.ISTIOD}) {
            var part = piece.part(revision);
            var there = target.get(part.type(), cluster.namespace, part.name());
            if (there.isPresent() && Cluster.isOurs(there.get())) {
                requireNotHelms(there.get(), part);
                all.add(new Installed(piece, Revisions.label(there.get(), VERSION, "")));
            }
        }
        return all;
    }

    private void requireNotHelms(GenericKubernetesResource object, Part part) throws IOException {
        var annotations = Objects.requireNonNullElse(object.getMetadata().getAnnotations(), Map.<String, String>of());
        var release = Optional.ofNullable(annotations.get(HELM));
        if (release.isPresent()) {
            throw new IOException(
                    "%s was installed by Helm, as release %s, which keeps its values: 'helm upgrade %2$s' upgrades it. Nothing was changed"
                            .formatted(part.part(), release.get()));
        }
    }

    /// What this program brings.
    private static String version(List<Map<String, Object>> objects) {
        return objects.stream()
                .map(object -> Documents.label(object, VERSION))
                .filter(text -> !text.isEmpty())
                .findFirst()
                .orElse("");
    }

    private static List<Map<String, Object>> meant(List<Map<String, Object>> objects, Upgrade upgrade) {
        return upgrade.steps().stream()
                .flatMap(step -> of(objects, step.piece()).stream())
                .toList();
    }

    private static List<Map<String, Object>> of(List<Map<String, Object>> objects, Piece piece) {
        return objects.stream()
                .filter(object -> Documents.label(object, "app").equals(piece.app()))
                .toList();
    }

    private void show(Upgrade upgrade) {
        PrintWriter out = spec.commandLine().getOut();
        for (var step : upgrade.steps()) {
            out.println(step + "\n    " + step.piece().meaning());
        }
        out.flush();
    }

    private void run(Step step, Upgrade upgrade, List<Map<String, Object>> objects, Installer installer)
            throws IOException, InterruptedException {
        var wanted = of(objects, step.piece());
        try {
            installer.progress().doing(step.toString());
            var waypoints = step.piece() == Piece.ISTIOD ? waypoints(installer.cluster(), wanted) : List.<Waypoint>of();
            installer.apply(wanted);
            installer.await(step.piece().part(revision));
            for (var waypoint : waypoints) {
                waypoint.await(installer);
            }
        } catch (IOException failed) {
            var after = upgrade.after(step);
            throw new IOException(
                    "%s is not upgraded: %s.%s Mend it and run this again, or go back by 'culvert upgrade --part %1$s' of the program of %s"
                            .formatted(
                                    step.piece().word(),
                                    failed.getMessage(),
                                    after.isEmpty() ? "" : " As it was: " + after + ".",
                                    step.from()),
                    failed);
        }
    }

    /// A Deployment of the controller's, which it replaces once it is new itself.
    private record Waypoint(Part part, String namespace, String image) {
        void await(Installer installer) throws IOException, InterruptedException {
            installer.awaitImage(part, namespace, image);
            installer.await(part, namespace);
        }
    }

    /// Those that have the image that the controller gives them now, and get another. The image of others is their own
    /// parameters' business.
    private List<Waypoint> waypoints(Cluster target, List<Map<String, Object>> wanted) throws IOException {
        var part = Piece.ISTIOD.part(revision);
        var controller = target.get(part.type(), cluster.namespace, part.name());
        var before = controller
                .map(one -> Images.ofWaypoints(one.getAdditionalProperties()))
                .orElse("");
        var after = wanted.stream()
                .filter(object -> "Deployment".equals(object.get("kind")))
                .map(Images::ofWaypoints)
                .findFirst()
                .orElse("");
        var all = new ArrayList<Waypoint>();
        if (!before.equals(after)) {
            for (var one : target.list(Cluster.DEPLOYMENT, "", MANAGED)) {
                var tree = one.getAdditionalProperties();
                if (Images.of(tree).equals(before) && Images.asks(tree, part.name())) {
                    var name = one.getMetadata().getName();
                    var home = one.getMetadata().getNamespace();
                    var labels = Map.of("gateway.networking.k8s.io/gateway-name", name);
                    all.add(new Waypoint(new Part(home + "/" + name, Cluster.DEPLOYMENT, name, labels), home, after));
                }
            }
        }
        return all;
    }
}
