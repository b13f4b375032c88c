package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import dev.culvert.cli.install.Upgrade.Piece;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `culvert uninstall`.
@Command(
        name = "uninstall",
        mixinStandardHelpOptions = true,
        description = "Removes the mesh from a cluster; its nodes and pods are left as they were before it.")
public final class UninstallCommand implements Callable<Integer> {
    private static final long POLL_MILLIS = 500;
    /// What the controller makes, beside what the charts have.
    private static final String ROOT = "istio-ca-root-cert";

    private static final String CONTROLLER = "culvert.dev/mesh-controller";
    private static final String MANAGED = "gateway.istio.io/managed";
    private static final List<String> SECRETS = List.of("istio-ca-secret");

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"-y", "--skip-confirmation"},
            description = "Do not ask.")
    boolean sure;

    @Option(
            names = {"-r", "--revision"},
            paramLabel = "REV",
            defaultValue = "",
            description = "Only the controller of this revision; what runs asks another then.")
    String revision = "";

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "How long to wait for the nodes (default: ${DEFAULT-VALUE}).")
    int timeoutSeconds;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!sure && !confirmed()) {
            spec.commandLine().getErr().println("culvert: nothing was removed; confirm, or give --skip-confirmation");
            return 1;
        }
        var progress = Progress.on(spec.commandLine().getOut());
        try (var client = cluster.client()) {
            var target = new Cluster(client);
            if (!revision.isEmpty()) {
                removeRevision(target, progress);
                return 0;
            }
            // The agents first, while ztunnels still serve: they release the pods and take the plugin off the nodes.
            remove(target, Rollout.AGENT, progress);
            remove(target, Rollout.ZTUNNEL, progress);
            for (var controller : new Revisions(target, cluster.namespace).controllers()) {
                remove(target, controller, progress);
            }
            var count = removeRest(target);
            progress.done(count + " further objects are removed");
        }
        progress.done("nothing of the mesh is left; pods are in no mesh now, whatever their labels say");
        return 0;
    }

    /// Nothing that needs it is left without a controller.
    private void removeRevision(Cluster target, Progress progress) throws IOException, InterruptedException {
        var revisions = new Revisions(target, cluster.namespace);
        var users = revisions.users(revision);
        if (!users.isEmpty()) {
            throw new IOException(
                    "revision %s is still meant by %s. Nothing was removed. Label them anew, or move the tags, first"
                            .formatted(revision, String.join(", ", users)));
        }
        remove(target, Rollout.controller(revision), progress);
        var ours = Map.of(Cluster.PART_OF, Cluster.OURS, Revisions.LABEL, revision);
        var count = 0;
        for (var type : types()) {
            for (var object : target.list(type, type.namespaced() ? cluster.namespace : "", ours)) {
                count += target.delete(type, object) ? 1 : 0;
            }
        }
        progress.done(count + " further objects of revision " + revision + " are removed");
    }

    private boolean confirmed() {
        var what = revision.isEmpty()
                ? "the mesh from namespace " + cluster.namespace + " and all nodes"
                : "the controller of revision " + revision;
        return Progress.terminal()
                .map(console -> console.readLine("Remove %s? [y/N] ", what))
                .filter(answer -> answer.strip().equalsIgnoreCase("y"))
                .isPresent();
    }

    private void remove(Cluster target, Part part, Progress progress) throws IOException, InterruptedException {
        var object = target.get(part.type(), cluster.namespace, part.name());
        if (object.isEmpty() || !Cluster.isOurs(object.get())) {
            return;
        }
        target.delete(part.type(), object.get());
        var end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        while (true) {
            var left = target.list(Cluster.POD, cluster.namespace, part.labels());
            var there = target.get(part.type(), cluster.namespace, part.name()).isPresent();
            if (left.isEmpty() && !there) {
                progress.done(part.part() + " is removed");
                return;
            }
            progress.doing("waiting for %d pods of %s to end".formatted(left.size(), part.part()));
            if (System.nanoTime() > end) {
                throw new IOException(
                        "%d pods of %s have not ended after %d s; is a node away? Run this again when it is back"
                                .formatted(left.size(), part.part(), timeoutSeconds));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private int removeRest(Cluster target) throws IOException {
        var istio =
                new IstioParts(target, cluster.namespace).found().stream().anyMatch(one -> one.piece() == Piece.ISTIOD);
        var count = istio ? 0 : removeControllers(target);
        var ours = Map.of(Cluster.PART_OF, Cluster.OURS);
        for (var type : types()) {
            for (var object : target.list(type, type.namespaced() ? cluster.namespace : "", ours)) {
                count += target.delete(type, object) ? 1 : 0;
            }
        }
        return count;
    }

    /// What our controller makes. Istio's makes some of it under the same names, and needs it.
    private int removeControllers(Cluster target) throws IOException {
        var count = 0;
        for (var root : target.list(Cluster.CONFIG_MAP, "", Map.of("istio.io/config", "true"))) {
            if (root.getMetadata().getName().equals(ROOT) && target.delete(Cluster.CONFIG_MAP, root)) {
                count++;
            }
        }
        for (var name : SECRETS) {
            var secret = target.get(Cluster.SECRET, cluster.namespace, name);
            if (secret.isPresent() && target.delete(Cluster.SECRET, secret.get())) {
                count++;
            }
        }
        return count + removeWaypoints(target);
    }

    /// What the controller deployed for Gateways, and its classes. The Gateways themselves are the users'.
    private static int removeWaypoints(Cluster target) throws IOException {
        var count = 0;
        for (var type : List.of(Cluster.DEPLOYMENT, Cluster.SERVICE, Cluster.SERVICE_ACCOUNT)) {
            for (var object : target.list(type, "", Map.of(MANAGED, CONTROLLER.replace('/', '-')))) {
                count += target.delete(type, object) ? 1 : 0;
            }
        }
        for (var object : target.list(Cluster.GATEWAY_CLASS, "", Map.of())) {
            if (CONTROLLER.equals(object.get("spec", "controllerName"))
                    && target.delete(Cluster.GATEWAY_CLASS, object)) {
                count++;
            }
        }
        return count;
    }

    /// The namespace last; it takes with it what is in it.
    private static List<Cluster.Type> types() {
        var types = new ArrayList<>(Cluster.RENDERED);
        types.add(Cluster.LEASE);
        types.add(Cluster.MUTATING_WEBHOOK);
        types.remove(Cluster.NAMESPACE);
        types.add(Cluster.NAMESPACE);
        return types;
    }
}
