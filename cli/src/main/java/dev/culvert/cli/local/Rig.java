package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Node;
import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.ProblemLog;
import dev.culvert.kube.object.Service;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A mesh on this machine, made from a folder of YAML and kept equal to it. The process must be in network,
/// mount and PID namespaces of its own (`build/in-namespaces`). One platform thread keeps it; other threads
/// may ask and kill.
public final class Rig implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rig.class);
    private static final Duration PERIOD = Duration.ofMillis(250);
    private static final Duration READY_WITHIN = Duration.ofSeconds(60);
    private static final Duration DRAIN = Duration.ofSeconds(30);

    private final RigConfig config;
    private final FolderSource folder;
    private final Topology topology = new Topology();
    private final ServiceTable services = new ServiceTable();
    private final ObjectFiles objects;
    private final WaypointPods waypoints;
    private final Path programsPath;
    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final Map<String, FreeHosts> hosts = new LinkedHashMap<>();
    private final Map<String, RunningPod> pods = new LinkedHashMap<>();
    /// Why pods do not run yet, as it was told.
    private final Map<String, String> waiting = new HashMap<>();
    private final List<KeptProcess> processes = new ArrayList<>();
    /// Where a node's ztunnel is now, by the name of the namespace where its first one was.
    private final Map<String, String> ztunnels = new LinkedHashMap<>();
    private final Map<String, String> appliedRules = new LinkedHashMap<>();
    private final Thread keeper = Thread.ofPlatform().name("rig").daemon().unstarted(this::keepUntilClosed);
    private int nextNode;
    private volatile boolean closed;

    /// What to run, where.
    /// @param state the state folder
    /// @param folder the user's YAML
    /// @param nodes their names, in order
    public record RigConfig(Path state, Path folder, List<String> nodes, Programs programs) {
        public RigConfig {
            state = state.toAbsolutePath().normalize();
            folder = folder.toAbsolutePath().normalize();
            nodes = List.copyOf(nodes);
        }
    }

    private Rig(RigConfig config) throws IOException {
        this.config = config;
        forgetEarlierRun(config.state);
        this.objects = new ObjectFiles(config.state.resolve("objects"));
        this.waypoints = new WaypointPods(config.state, config.programs.waypoint());
        this.programsPath = config.programs.pathDirectory(config.state);
        var problems = new ProblemLog(LOG);
        var where = new FolderSource.Where(List.of(config.folder), null, null);
        this.folder = FolderSource.open(where, objects -> problems.tell(objects.problems()));
    }

    /// A new rig is a new cluster: of an earlier one only the certificate authority stays, and what the programs
    /// keep of the user's files.
    private static void forgetEarlierRun(Path state) throws IOException {
        for (var name : List.of("objects", "redirection", "nodes", "pods")) {
            removeTree(state.resolve(name));
        }
    }

    private static void removeTree(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            try (var tree = Files.walk(directory)) {
                for (var path : tree.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    /// Builds the network, starts the programs and the pods; returns before they are ready.
    public static Rig start(RigConfig config) throws IOException {
        var rig = new Rig(config);
        try {
            rig.build();
        } catch (IOException | RuntimeException e) {
            rig.close();
            throw e;
        }
        rig.keeper.start();
        return rig;
    }

    private synchronized void build() throws IOException {
        topology.build();
        for (var name : config.nodes) {
            var node = new Node(nodes.size() + 1);
            topology.addNode(name, node, nodes.values());
            topology.addPod(name + "-ztunnel", name, node, node.ztunnel());
            nodes.put(name, node);
            hosts.put(name, new FreeHosts());
            objects.node(name, UUID.randomUUID().toString(), node.wire());
        }
        startControlPlane();
        for (var node : nodes.entrySet()) {
            startNode(node.getKey(), node.getValue());
        }
        keep();
    }

    private void startControlPlane() throws IOException {
        if (config.programs.controlPlane().isEmpty()) {
            return;
        }
        var command = new ArrayList<>(config.programs.controlPlane());
        command.add("discovery");
        for (var address : List.of(Addressing.CONTROL_PLANE_V4, Addressing.CONTROL_PLANE_V6)) {
            command.addAll(List.of("--address", address));
        }
        command.addAll(List.of("--configDir", config.folder.toString()));
        command.addAll(List.of("--objectsDir", config.state.resolve("objects").toString()));
        command.addAll(
                List.of("--redirectionDir", config.state.resolve("redirection").toString()));
        command.addAll(List.of("--stateDir", config.state.resolve("istiod").toString()));
        start(Topology.CONTROL_PLANE, "istiod-lite", command, Map.of());
    }

    private void startNode(String name, Node node) throws IOException {
        Files.createDirectories(runtime(name));
        if (!config.programs.agent().isEmpty()) {
            var command = new ArrayList<>(config.programs.agent());
            command.addAll(List.of("--configDir", config.folder.toString()));
            command.addAll(
                    List.of("--objectsDir", config.state.resolve("objects").toString()));
            command.addAll(List.of(
                    "--redirectionDir", config.state.resolve("redirection").toString()));
            command.addAll(List.of(
                    "--stateDir", config.state.resolve("agents").resolve(name).toString()));
            command.addAll(List.of("--zdsSocket", "/run/culvert/" + name + "/ztunnel.sock"));
            start(name, name + "/agent", command, Map.of("NODE_NAME", name));
        }
        if (!config.programs.ztunnel().isEmpty()) {
            var environment = Programs.ztunnelEnvironment(
                    config.state, name, node.ztunnel().v4());
            start(name + "-ztunnel", name + "/ztunnel", config.programs.ztunnel(), environment);
        }
    }

    /// Replaces a node's ztunnel as an upgrade does: the next one starts beside it in a namespace of its own and takes
    /// the pods over; once it is ready, the last one is asked to end. Returns when it has.
    /// @param command the next one's; empty for the same program again
    /// @throws IOException it was not ready in time; the last one goes on
    void replaceZtunnel(String node, List<String> command) throws IOException {
        var first = node + "-ztunnel";
        var name = node + "/ztunnel";
        Replacement next;
        synchronized (this) {
            var at = nodes.get(node);
            if (at == null) {
                throw new MissingException("no node " + node + "; there are " + nodes.keySet());
            }
            var host = hostsOf(node).take();
            next = new Replacement(first + host, process(name));
            topology.addPod(next.namespace, node, at, at.pod(host));
            var environment =
                    Programs.ztunnelEnvironment(config.state, node, at.pod(host).v4());
            start(next.namespace, name, command.isEmpty() ? config.programs.ztunnel() : command, environment);
        }
        try {
            awaitReady(next.namespace);
        } catch (IOException e) {
            end(processes().getLast(), next.namespace);
            throw e;
        }
        var last = namespace(first);
        synchronized (this) {
            ztunnels.put(first, next.namespace);
        }
        end(next.last, last);
    }

    private record Replacement(String namespace, KeptProcess last) {}

    private KeptProcess process(String name) throws MissingException {
        return processes.stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new MissingException("no process " + name));
    }

    private static void awaitReady(String namespace) throws IOException {
        var ready = new Fetch("GET", "http://127.0.0.1:15021/healthz/ready", Map.of());
        var deadline = System.nanoTime() + READY_WITHIN.toNanos();
        while (!ready.isOk(Commands.netns(namespace))) {
            if (System.nanoTime() - deadline > 0) {
                throw new IOException("the next ztunnel was not ready within " + READY_WITHIN.toSeconds()
                        + " s; the last one goes on");
            }
            pause();
        }
    }

    private void end(KeptProcess process, String namespace) throws IOException {
        process.stop(DRAIN);
        synchronized (this) {
            processes.remove(process);
            topology.removeNamespace(namespace);
        }
    }

    /// The namespace where a program is now.
    synchronized String namespace(String name) {
        return ztunnels.getOrDefault(name, name);
    }

    /// Sockets and keys of a node's programs.
    private static Path runtime(String node) {
        return Path.of("/run/culvert", node);
    }

    private void start(String namespace, String name, List<String> command, Map<String, String> environment)
            throws IOException {
        var log = name.contains("/") ? "nodes/" + name + ".log" : name + ".log";
        var path = config.state.resolve(log);
        Files.createDirectories(path.getParent());
        var start = new KeptProcess.Start(name, Commands.inside(namespace, command), environment, path);
        processes.add(new KeptProcess(start));
    }

    private void keepUntilClosed() {
        while (!closed) {
            try {
                keep();
                Thread.sleep(PERIOD);
            } catch (IOException | RuntimeException e) {
                LOG.error("the mesh is not kept as it should be: {}", e.toString());
                pause();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PERIOD.multipliedBy(4));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// One round: the folder, the processes, the pods, the rules.
    private synchronized void keep() throws IOException {
        if (closed) {
            return;
        }
        for (var process : processes) {
            process.keep();
        }
        var wanted = folder.current();
        applyServices(waypoints.services(wanted));
        applyPods(waypoints.pods(wanted));
        for (var pod : pods.values()) {
            if (pod.keep()) {
                LOG.info("pod {} is {}", pod.plan().key(), pod.isReady() ? "ready" : "not ready");
            }
            objects.pod(pod);
            pod.names(services.names(pod, pods.values()));
        }
        applyRules();
    }

    private void applyServices(List<Service> wanted) throws IOException {
        services.services(wanted);
        for (var entry : services.entries()) {
            objects.service(entry);
        }
        objects.retainServices(services.entries());
    }

    private void applyPods(List<PodPlan> plans) throws IOException {
        var wanted = plans.stream().collect(Collectors.toMap(PodPlan::key, Function.identity()));
        for (var running : List.copyOf(pods.values())) {
            if (!running.plan().equals(wanted.get(running.plan().key()))) {
                remove(running);
            }
        }
        waiting.keySet().retainAll(wanted.keySet());
        for (var plan : plans) {
            if (!pods.containsKey(plan.key())) {
                add(plan);
            }
        }
    }

    private void waits(PodPlan plan, String why) {
        if (!why.equals(waiting.put(plan.key(), why))) {
            LOG.warn("pod {} waits: {}", plan.key(), why);
        }
    }

    private void add(PodPlan plan) throws IOException {
        var name = plan.node().orElseGet(this::nextNode);
        var node = nodes.get(name);
        if (node == null) {
            waits(plan, "there is no node " + name + "; there are " + nodes.keySet());
            return;
        }
        int host;
        try {
            host = hostsOf(name).take();
        } catch (MissingException e) {
            waits(plan, name + ": " + e.getMessage());
            return;
        }
        waiting.remove(plan.key());
        var address = node.pod(host);
        try {
            topology.addPod(plan.netns(), name, node, address);
        } catch (IOException | RuntimeException e) {
            hostsOf(name).free(host);
            throw e;
        }
        var place = new RunningPod.Place(name, host, address, UUID.randomUUID().toString());
        var directory = config.state.resolve("pods").resolve(plan.namespace() + "-" + plan.name());
        var pod = new RunningPod(plan, place, directory, programsPath);
        pod.names(services.names(pod, pods.values()));
        pods.put(plan.key(), pod);
    }

    private FreeHosts hostsOf(String node) {
        return Objects.requireNonNull(hosts.get(node), node);
    }

    private String nextNode() {
        return config.nodes.get(nextNode++ % config.nodes.size());
    }

    private void remove(RunningPod pod) throws IOException {
        pods.remove(pod.plan().key());
        objects.removePod(pod.plan());
        pod.stop();
        topology.removeNamespace(pod.plan().netns());
        hostsOf(pod.place().node()).free(pod.place().host());
        Files.deleteIfExists(
                config.state.resolve("redirection").resolve(pod.place().uid()));
        removeTree(WaypointPods.kept(pod.plan().namespace(), pod.plan().name()));
        LOG.info("pod {} is removed", pod.plan().key());
    }

    private void applyRules() throws IOException {
        var rules = services.rules(pods.values());
        for (var node : nodes.keySet()) {
            if (!rules.equals(appliedRules.get(node))) {
                Commands.feed(rules, Commands.inside(node, List.of("nft", "-f", "-")));
                appliedRules.put(node, rules);
            }
        }
    }

    public RigConfig config() {
        return config;
    }

    synchronized Collection<RunningPod> pods() {
        return List.copyOf(pods.values());
    }

    synchronized List<KeptProcess> processes() {
        return List.copyOf(processes);
    }

    /// A pod by `namespace/name`, or by its name alone where that is enough.
    synchronized Optional<RunningPod> pod(String name) {
        var exact = pods.get(name);
        if (exact != null) {
            return Optional.of(exact);
        }
        var named = pods.values().stream()
                .filter(pod -> pod.plan().name().equals(name))
                .toList();
        return named.size() == 1 ? Optional.of(named.getFirst()) : Optional.empty();
    }

    /// Ends everything that was started and removes everything that was made, apart from logs and the state
    /// of the programs.
    @Override
    public void close() {
        closed = true;
        keeper.interrupt();
        synchronized (this) {
            stopAll();
            try {
                folder.close();
                topology.remove();
                removeTree(WaypointPods.KEPT);
                for (var node : nodes.keySet()) {
                    removeTree(runtime(node));
                }
            } catch (IOException e) {
                LOG.warn("not everything is removed: {}", e.toString());
            }
        }
        try {
            keeper.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void stopAll() {
        var stops = new ArrayList<Thread>();
        for (var pod : pods.values()) {
            stops.add(Thread.ofPlatform().start(pod::stop));
        }
        for (var process : processes) {
            stops.add(Thread.ofPlatform().start(process::stop));
        }
        try {
            for (var stop : stops) {
                stop.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
