package dev.culvert.testkit;

import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.TestAuthority;
import dev.culvert.proxy.mesh.Lookup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.app.DataPath;
import dev.culvert.ztunnel.app.Listeners;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.relay.HostNames;
import dev.culvert.ztunnel.relay.Worker;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// One node: a ztunnel's data path with a mesh state and certificates of its own.
/// @param number counts from 1
record TestNode(
        int number,
        EventLoopGroup loops,
        MeterRegistry registry,
        MeshState mesh,
        CertificateStore certificates,
        Revocation revocation,
        List<Worker> workers,
        DataPath dataPath)
        implements AutoCloseable {
    private static final long RECEIVE_BUDGET_BYTES = 8 << 20;

    /// Where a node is.
    record At(String name, String network, int number) {}

    /// What an operator may set.
    record Settings(Listeners listeners, PoolLimits pool, UnaryOperator<NodeSettings> node) {
        static final Settings DEFAULT =
                new Settings(Listeners.CONNECTIONS, PoolLimits.DEFAULTS, UnaryOperator.identity());
    }

    static TestNode start(At at, EventLoopGroup loops, TestAuthority authority, Settings operator) {
        var mesh = new MeshState();
        var workers = new ArrayList<Worker>();
        loops.forEach(loop -> workers.add(new Worker((EventLoop) loop, operator.pool, RECEIVE_BUDGET_BYTES)));
        var revocation = new Revocation();
        var certificates = new CertificateStore(authority, null, Clock.systemUTC(), TlsPolicy.DEFAULT, revocation);
        var settings = operator.node.apply(new NodeSettings(
                at.name,
                at.network,
                true,
                true,
                true,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(10),
                Duration.ofMinutes(15),
                H2Limits.DEFAULTS));
        var registry = new SimpleMeterRegistry();
        var metrics = new ConnectionMetrics(registry);
        var dataPath = new DataPath(
                new Node(
                        mesh,
                        certificates,
                        metrics,
                        loops,
                        workers,
                        new HostNames(Duration.ofSeconds(5)),
                        Lookup.NONE,
                        settings),
                operator.listeners);
        mesh.onChange(_ -> dataPath.recheckSoon());
        return new TestNode(at.number, loops, registry, mesh, certificates, revocation, workers, dataPath);
    }

    /// A counter now, all of its label sets together.
    double counted(String name) {
        dataPath.count();
        return registry.find(name).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    /// Tunnels that its pools hold.
    int pooled() {
        return workers.stream()
                .mapToInt(worker -> worker.loop()
                        .submit(() -> worker.pool().size())
                        .syncUninterruptibly()
                        .getNow())
                .sum();
    }

    @Override
    public void close() {
        dataPath.close();
        certificates.close();
    }
}
