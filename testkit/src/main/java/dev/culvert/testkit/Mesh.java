package dev.culvert.testkit;

import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.RevocationLists;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.proxy.ca.TestAuthority;
import dev.culvert.testkit.backend.Addressing;
import dev.culvert.testkit.backend.Backend;
import dev.culvert.testkit.backend.Tap;
import dev.culvert.ztunnel.app.Listeners;
import dev.culvert.ztunnel.dns.DnsMetrics;
import dev.culvert.ztunnel.dns.DnsSettings;
import dev.culvert.ztunnel.dns.DnsShared;
import dev.culvert.ztunnel.dns.lookup.Zone;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.socks5.Socks5Metrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A mesh of one test: nodes with real ztunnel objects, workloads, services, policies, and faults. One thread
/// builds it.
public final class Mesh implements AutoCloseable {
    private final BackendKind kind;
    private final Backend backend;
    private final Family family;
    private final LogLines log;
    private final Leftovers before;
    private final TestAuthority authority;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, TestNode> nodes = new LinkedHashMap<>();
    private final Map<String, TestWorkload> workloads = new LinkedHashMap<>();
    private final Map<String, Change> published = new LinkedHashMap<>();
    private final Map<TestNode, Integer> pods = new LinkedHashMap<>();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Set<Listening> listening = ConcurrentHashMap.newKeySet();
    private final List<Tap> taps = new ArrayList<>();
    private final Map<String, String> networks = new LinkedHashMap<>();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private TestNode.Settings settings = TestNode.Settings.DEFAULT;
    private int services;
    private volatile boolean closing;

    private Mesh(BackendKind kind, Family family) throws IOException {
        this.before = Leftovers.now();
        this.kind = kind;
        this.backend = kind.start();
        this.family = family;
        this.log = LogLines.record();
        this.authority = new TestAuthority();
    }

    /// @throws IOException if the backend is not possible here; it says what to do
    static Mesh start(BackendKind kind, Family family) throws IOException {
        return new Mesh(kind, family);
    }

    // ---- what it has ----

    /// A new workload, or the one of that name.
    public TestWorkload workload(String name) {
        return workloads.computeIfAbsent(name, _ -> new TestWorkload(this, name));
    }

    public TestService service(String name) {
        return new TestService(this, name, ++services);
    }

    /// A policy of one workload.
    public TestPolicy policy(String name, TestWorkload of) {
        return new TestPolicy(this, name, of);
    }

    /// A node and its pods are of another network than "".
    public void network(String node, String network) {
        if (nodes.containsKey(node)) {
            throw new IllegalStateException(node + " is in use already: say its network before");
        }
        networks.put(node, network);
    }

    String networkOf(String node) {
        return networks.getOrDefault(node, "");
    }

    /// The ztunnels resolve their pods' names, and listen for SOCKS5; before the first node, and not IN_PROCESS.
    /// @param servers are asked for what the mesh does not know
    public void names(DnsSettings.Limits limits, InetSocketAddress... servers) {
        beforeTheFirstNode();
        var dns = new DnsSettings(
                DnsSettings.address("localhost:15053", true),
                new Zone("cluster.local", null, true),
                Path.of("/nowhere"),
                limits);
        var listeners = new Listeners(
                true, new DnsShared(dns, new DnsMetrics(registry), List.of(servers)), new Socks5Metrics(registry));
        settings = new TestNode.Settings(listeners, settings.pool(), settings.node());
    }

    /// What the operator of every node has set otherwise; before the first node.
    public void settings(PoolLimits pool, UnaryOperator<NodeSettings> change) {
        beforeTheFirstNode();
        settings = new TestNode.Settings(settings.listeners(), pool, change);
    }

    private void beforeTheFirstNode() {
        if (!nodes.isEmpty()) {
            throw new IllegalStateException("say so before the first workload runs");
        }
    }

    Listeners listeners() {
        return settings.listeners();
    }

    /// Waits until the pools of a node hold so many tunnels.
    public void awaitPooled(String node, int tunnels) {
        Await.until(
                () -> node + " holds " + node(node).pooled() + " tunnels, not " + tunnels,
                () -> node(node).pooled() == tunnels);
    }

    /// What a counter of DNS proxies and SOCKS5 has counted, whatever its labels say.
    public double counted(String counter) {
        return registry.find(counter).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    /// What the pods of this test have by default.
    public Family family() {
        return family;
    }

    /// On what it stands.
    public BackendKind kind() {
        return kind;
    }

    Backend backend() {
        return backend;
    }

    TestNode node(String name) {
        var known = nodes.get(name);
        if (known != null) {
            return known;
        }
        try {
            backend.addNode(name);
        } catch (IOException e) {
            throw new UncheckedIOException("node " + name + ": " + e.getMessage(), e);
        }
        var at = new TestNode.At(name, networkOf(name), nodes.size() + 1);
        var made = TestNode.start(at, backend.loops(name), authority, settings);
        made.mesh().apply(published.values());
        nodes.put(name, made);
        return made;
    }

    List<InetAddress> newAddresses(TestNode node, Family of) {
        var pod = pods.merge(node, 1, Integer::sum);
        var addresses = new ArrayList<InetAddress>();
        for (var v4 : List.of(true, false)) {
            if (of.has(v4)) {
                addresses.add(Addressing.pod(node.number(), pod, v4));
            }
        }
        return addresses;
    }

    /// Every node hears of it.
    void publish(String key, Change change) {
        published.put(key, change);
        nodes.values().forEach(node -> node.mesh().apply(List.of(change)));
    }

    void withdraw(String key, Change removal) {
        published.remove(key);
        nodes.values().forEach(node -> node.mesh().apply(List.of(removal)));
    }

    void serve(Listening on, Handler handler) {
        threads.submit(() -> {
            while (true) {
                var connection = on.accept();
                threads.submit(() -> {
                    try (connection) {
                        handler.serve(connection);
                    } catch (UncheckedIOException gone) {
                        connection.reset();
                    }
                });
            }
        });
    }

    /// What a listener accepts while the mesh ends is closed at once: nobody serves it any more.
    void remember(Connection connection) {
        connections.add(connection);
        if (closing) {
            connection.close();
        }
    }

    void remember(Listening made) {
        listening.add(made);
    }

    /// Every node learns that all certificates of a workload's identity are revoked.
    public void revoke(TestWorkload workload) {
        var lists = call(() -> RevocationLists.parse(authority.revoking(workload.identity())));
        for (var node : nodes.values()) {
            node.revocation().replace(lists);
            node.dataPath().dropRevoked();
        }
        workloads.values().forEach(TestWorkload::dropRevoked);
    }

    // ---- the network ----

    /// Records what crosses between two nodes from now on.
    public Wire wire(String a, String b) {
        node(a);
        node(b);
        return new Wire(call(() -> {
            var tap = backend.tap(a, b);
            taps.add(tap);
            return tap;
        }));
    }

    /// Nothing crosses between two nodes any more, and nobody is told.
    public void partition(String a, String b) {
        call(() -> {
            backend.partition(a, b);
            return a;
        });
    }

    /// Ends partition and delay.
    public void heal(String a, String b) {
        call(() -> {
            backend.heal(a, b);
            return a;
        });
    }

    public void delay(String a, String b, Duration oneWay) {
        call(() -> {
            backend.delay(a, b, oneWay);
            return a;
        });
    }

    /// Lets time pass for everything that waits: simulated if the backend can, else real.
    public void advance(Duration time) {
        backend.advance(time);
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private static <T> T call(Call<T> call) {
        try {
            return call.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    // ---- what is seen of it ----

    /// A counter of a node's ztunnel now, all of its label sets together.
    /// @param name without `_total`
    public double counted(String node, String name) {
        return node(node).counted(name);
    }

    /// Everything that the ztunnels have open: a connection through two of them counts twice.
    public List<LiveConnection.Description> live() {
        return nodes.values().stream()
                .flatMap(node -> node.dataPath().live(LiveConnection::describe).stream())
                .toList();
    }

    /// Waits for a line of the log (access log included) that has all these words.
    public void awaitLog(String... words) {
        Await.until(
                () -> "a log line with " + List.of(words) + " in\n" + String.join("\n", log.lines()),
                () -> log.has(words));
    }

    /// Error lines with these words are part of the test; at least one must come.
    public void expectError(String words) {
        log.expectError(words);
    }

    /// Error lines with these words may come: whether they do depends on who is faster.
    public void allowError(String words) {
        log.allowError(words);
    }

    /// Ends everything, and checks that nothing is left.
    /// @throws AssertionError naming all that is
    @Override
    public void close() {
        var problems = new ArrayList<String>();
        closing = true;
        attempt(problems, () -> connections.forEach(Connection::close));
        attempt(problems, () -> listening.forEach(Listening::close));
        threads.close();
        attempt(problems, this::awaitIdle);
        attempt(problems, () -> workloads.values().forEach(TestWorkload::end));
        attempt(problems, () -> nodes.values().forEach(TestNode::close));
        for (var tap : taps) {
            attempt(
                    problems,
                    () -> call(() -> {
                        tap.close();
                        return tap;
                    }));
        }
        attempt(
                problems,
                () -> call(() -> {
                    backend.close();
                    return backend;
                }));
        attempt(problems, before::assertNothingNew);
        problems.addAll(log.finish());
        if (!problems.isEmpty()) {
            throw new AssertionError("after the test: " + String.join("\n", problems));
        }
    }

    private void awaitIdle() {
        Await.until(() -> "no connection is live: " + live(), () -> live().isEmpty());
    }

    private static void attempt(List<String> problems, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | AssertionError e) {
            problems.add(String.valueOf(message(e)));
        }
    }

    private static @Nullable String message(Throwable e) {
        return e instanceof AssertionError ? e.getMessage() : e.toString();
    }
}
