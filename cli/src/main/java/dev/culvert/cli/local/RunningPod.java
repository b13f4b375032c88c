package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Pair;
import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.Probe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A pod that runs: its namespace, its processes (one for each container) and how they are.
final class RunningPod {
    /// Rounds are shorter here than a kubelet's periods.
    private static final int LEAST_TO_RESTART = 10;

    private final PodPlan plan;
    private final Place place;
    private final Path directory;
    private final Path programs;
    private final List<Running> containers;
    private volatile boolean ready;

    /// Where it runs.
    record Place(String node, int host, Pair address, String uid) {}

    /// A container's process, and how often in a row it has failed each probe.
    private static final class Running {
        final KeptProcess process;
        final Container container;
        private boolean ready;
        private int restarts;
        private int unready;
        private int dead;

        Running(KeptProcess process, Container container) {
            this.process = process;
            this.container = container;
        }

        /// Probes it. One that was ready stays so until it has failed as often as its probe allows, for
        /// one late answer is no reason to lead its callers elsewhere; one that has ended is not ready,
        /// nor is what was started in its place.
        /// @return whether it is ready
        boolean probe(RunningPod pod) {
            if (restarts != process.restarts() || !process.isRunning()) {
                restarts = process.restarts();
                ready = false;
            }
            if (!process.isRunning()) {
                return false;
            }
            var probe = container.readinessProbe();
            var passes =
                    probe.map(it -> Prober.passes(container, it.check(), pod)).orElse(true);
            unready = passes ? 0 : unready + 1;
            ready = passes
                    || (ready && unready < probe.map(Probe::failureThreshold).orElse(1));
            return ready;
        }

        /// Ends it if its liveness probe has failed as often as it allows; it is started again.
        void live(RunningPod pod) {
            var probe = container.livenessProbe();
            if (probe.isEmpty() || !process.isRunning()) {
                return;
            }
            dead = Prober.passes(container, probe.get().check(), pod) ? 0 : dead + 1;
            if (dead >= Math.max(LEAST_TO_RESTART, probe.get().failureThreshold())) {
                dead = 0;
                process.kill();
            }
        }
    }

    /// @param directory for its `/etc/hosts`, `/etc/resolv.conf` and logs
    /// @param programs goes in front of PATH
    RunningPod(PodPlan plan, Place place, Path directory, Path programs) throws IOException {
        this.plan = plan;
        this.place = place;
        this.directory = Files.createDirectories(directory);
        if (!Files.exists(hosts())) {
            Files.createFile(hosts());
        }
        Files.writeString(resolvConf(), Addressing.resolvConf(plan.namespace()));
        this.programs = programs;
        this.containers = containers();
    }

    private List<Running> containers() {
        var made = new ArrayList<Running>();
        for (var container : plan.containers()) {
            var log = directory.resolve(container.name() + ".log");
            var start = new KeptProcess.Start(
                    plan.key() + "/" + container.name(), inPod(command(container)), environment(container.env()), log);
            made.add(new Running(new KeptProcess(start), container));
        }
        return made;
    }

    private static List<String> command(Container container) {
        var command = new ArrayList<>(container.command());
        command.addAll(container.args());
        return command.isEmpty() ? List.of("sleep", "infinity") : command;
    }

    private Map<String, String> environment(List<Container.EnvVar> variables) {
        var environment = new HashMap<String, String>();
        environment.put("PATH", programs + ":" + System.getenv("PATH"));
        environment.put("HOSTNAME", plan.name());
        environment.put("POD_NAME", plan.name());
        environment.put("POD_NAMESPACE", plan.namespace());
        environment.put("POD_IP", place.address.v4());
        variables.stream()
                .filter(variable -> !variable.value().isEmpty())
                .forEach(variable -> environment.put(variable.name(), variable.value()));
        variables.forEach(
                variable -> ofField(variable.fieldPath()).ifPresent(value -> environment.put(variable.name(), value)));
        return environment;
    }

    private Optional<String> ofField(String path) {
        return switch (path) {
            case "metadata.name" -> Optional.of(plan.name());
            case "metadata.namespace" -> Optional.of(plan.namespace());
            case "spec.nodeName" -> Optional.of(place.node);
            case "spec.serviceAccountName" -> Optional.of(plan.serviceAccount());
            case "status.podIP" -> Optional.of(place.address.v4());
            default -> Optional.empty();
        };
    }

    /// A command line in the pod's network, with its names.
    private List<String> inPod(List<String> command) {
        var script = "mount --bind \"$1\" /etc/hosts && { [ ! -e /etc/resolv.conf ] || mount --bind \"$2\""
                + " /etc/resolv.conf; } && shift 2 && exec \"$@\"";
        var files = List.of(hosts().toString(), resolvConf().toString());
        var all = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", script, "pod"));
        all.addAll(files);
        all.addAll(command);
        return Commands.inside(plan.netns(), all);
    }

    /// One more process in the pod.
    Process start(List<String> command, ProcessBuilder.Redirect output) throws IOException {
        var builder = new ProcessBuilder(inPod(command))
                .redirectErrorStream(true)
                .redirectOutput(output)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(environment(List.of()));
        return builder.start();
    }

    PodPlan plan() {
        return plan;
    }

    Place place() {
        return place;
    }

    Pair address() {
        return place.address;
    }

    boolean isReady() {
        return ready;
    }

    int restarts() {
        return containers.stream()
                .mapToInt(container -> container.process.restarts())
                .sum();
    }

    List<Path> logs() {
        return containers.stream().map(container -> container.process.log()).toList();
    }

    private Path hosts() {
        return directory.resolve("hosts");
    }

    private Path resolvConf() {
        return directory.resolve("resolv.conf");
    }

    /// The file is written in place: the pod's processes have this very file mounted.
    void names(String text) throws IOException {
        if (!Files.readString(hosts()).equals(text)) {
            Files.writeString(hosts(), text);
        }
    }

    /// Starts what has ended and probes; true if its readiness has changed.
    boolean keep() throws IOException {
        var all = !containers.isEmpty();
        for (var running : containers) {
            running.process.keep();
            all &= running.probe(this);
            running.live(this);
        }
        var changed = all != ready;
        ready = all;
        return changed;
    }

    /// @param again whether its processes are started again
    void kill(boolean again) {
        containers.forEach(container -> {
            if (again) {
                container.process.kill();
            } else {
                container.process.killForGood();
            }
        });
    }

    void stop() {
        containers.forEach(container -> container.process.stop());
    }
}
