package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Pair;
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
    private static final int FAILURES_TO_RESTART = 10;

    private final PodPlan plan;
    private final Place place;
    private final Path directory;
    private final Path programs;
    private final List<Container> containers;
    private volatile boolean ready;
    private int failedProbes;

    /// Where it runs.
    record Place(String node, int host, Pair address, String uid) {}

    private record Container(KeptProcess process, Optional<Probe> readiness, Optional<Probe> liveness) {}

    /// @param directory for its `/etc/hosts` and logs
    /// @param programs goes in front of PATH
    RunningPod(PodPlan plan, Place place, Path directory, Path programs) throws IOException {
        this.plan = plan;
        this.place = place;
        this.directory = Files.createDirectories(directory);
        if (!Files.exists(hosts())) {
            Files.createFile(hosts());
        }
        this.programs = programs;
        this.containers = containers();
    }

    private List<Container> containers() {
        var made = new ArrayList<Container>();
        for (var container : plan.containers()) {
            var name = container.text("name").orElse("main");
            var log = directory.resolve(name + ".log");
            var start = new KeptProcess.Start(
                    plan.key() + "/" + name, inPod(command(container)), environment(container), log);
            made.add(new Container(
                    new KeptProcess(start),
                    Probe.of(container, "readinessProbe"),
                    Probe.of(container, "livenessProbe")));
        }
        return made;
    }

    private static List<String> command(KubeObject container) {
        var command = new ArrayList<String>();
        container.list("command").forEach(word -> command.add(String.valueOf(word)));
        container.list("args").forEach(word -> command.add(String.valueOf(word)));
        return command.isEmpty() ? List.of("sleep", "infinity") : command;
    }

    private Map<String, String> environment(KubeObject container) {
        var environment = new HashMap<String, String>();
        environment.put("PATH", programs + ":" + System.getenv("PATH"));
        environment.put("HOSTNAME", plan.name());
        environment.put("POD_NAME", plan.name());
        environment.put("POD_NAMESPACE", plan.namespace());
        environment.put("POD_IP", place.address.v4());
        for (var variable : container.objects("env")) {
            variable.text("value")
                    .ifPresent(value -> environment.put(variable.text("name").orElse(""), value));
        }
        return environment;
    }

    /// A command line in the pod's network, with its names.
    private List<String> inPod(List<String> command) {
        var script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
        var all = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", script, "pod", hosts().toString()));
        all.addAll(command);
        return Commands.inside(plan.netns(), all);
    }

    /// One more process in the pod.
    Process start(List<String> command, ProcessBuilder.Redirect output) throws IOException {
        var builder = new ProcessBuilder(inPod(command))
                .redirectErrorStream(true)
                .redirectOutput(output)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(environment(new KubeObject(Map.of())));
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

    /// The file is written in place: the pod's processes have this very file mounted.
    void names(String text) throws IOException {
        if (!Files.readString(hosts()).equals(text)) {
            Files.writeString(hosts(), text);
        }
    }

    /// Starts what has ended and probes; true if its readiness has changed.
    boolean keep() throws IOException {
        var all = !containers.isEmpty();
        for (var container : containers) {
            container.process.keep();
            all &= container.process.isRunning() && passes(container.readiness);
            if (container.liveness.isPresent() && container.process.isRunning()) {
                live(container);
            }
        }
        var changed = all != ready;
        ready = all;
        return changed;
    }

    private boolean passes(Optional<Probe> probe) {
        return probe.map(it -> it.passes(this, place.node)).orElse(true);
    }

    private void live(Container container) {
        failedProbes = passes(container.liveness) ? 0 : failedProbes + 1;
        if (failedProbes >= FAILURES_TO_RESTART) {
            failedProbes = 0;
            container.process.kill();
        }
    }

    void kill() {
        containers.forEach(container -> container.process.kill());
    }

    void stop() {
        containers.forEach(container -> container.process.stop());
    }
}
