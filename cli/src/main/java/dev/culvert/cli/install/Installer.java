package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Applies what the charts render, and waits for it. Confined to one thread.
///
/// @param namespace where the mesh is
/// @param timeoutSeconds for each part
record Installer(Cluster cluster, String namespace, Progress progress, int timeoutSeconds) {
    private static final long POLL_MILLIS = 500;
    private static final String ENFORCE = "pod-security.kubernetes.io/enforce";

    /// Nothing is applied before everything may be.
    /// @return those to apply
    /// @throws IOException if there is something of somebody else
    List<Map<String, Object>> checked(List<Map<String, Object>> objects) throws IOException {
        var wanted = new ArrayList<Map<String, Object>>();
        var foreign = new ArrayList<String>();
        for (var object : objects) {
            var type = Cluster.type(object);
            var name = Documents.name(object);
            var there = cluster.get(type, Documents.namespace(object), name);
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

    void apply(List<Map<String, Object>> objects) throws IOException {
        for (var object : objects) {
            progress.doing("applying " + object.get("kind") + " " + Documents.name(object));
            cluster.apply(object);
        }
        progress.done(objects.size() + " objects are applied");
    }

    /// Until all pods of a part are of the newest version and ready. A part that is not there is not waited for.
    void await(Part part) throws IOException, InterruptedException {
        await(part, namespace);
    }

    /// @param home its namespace
    void await(Part part, String home) throws IOException, InterruptedException {
        var end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        while (true) {
            var rollout = Rollout.of(cluster, home, part);
            if (rollout.map(Rollout::complete).orElse(true)) {
                rollout.ifPresent(complete -> progress.done(complete + " ready"));
                return;
            }
            progress.doing("waiting for " + rollout.get());
            if (System.nanoTime() > end) {
                throw notReady(part, home, rollout.get());
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /// Until a Deployment asks for an image.
    void awaitImage(Part part, String home, String image) throws IOException, InterruptedException {
        var end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        while (true) {
            var there = cluster.get(part.type(), home, part.name());
            if (there.isEmpty()
                    || Images.of(there.get().getAdditionalProperties()).equals(image)) {
                return;
            }
            progress.doing("waiting until " + part.part() + " is to run " + image);
            if (System.nanoTime() > end) {
                throw new IOException(
                        "the controller has not given image %s to %s after %d s; its log says why: 'kubectl -n %s logs -l app=istiod'"
                                .formatted(image, part.part(), timeoutSeconds, namespace));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private IOException notReady(Part part, String home, Rollout rollout) throws IOException {
        var troubles = Rollout.troubles(cluster, home, part);
        return new IOException("%s after %d s. %s. What is applied stays; 'kubectl -n %s logs -l %s' says more"
                .formatted(
                        rollout,
                        timeoutSeconds,
                        troubles.isEmpty() ? "No pod says why" : String.join("; ", troubles),
                        home,
                        part.selector()));
    }
}
