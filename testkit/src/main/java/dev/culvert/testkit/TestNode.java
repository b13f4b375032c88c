package dev.culvert.testkit;

import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.TestAuthority;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.app.DataPath;
import dev.culvert.ztunnel.app.Listeners;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.relay.Worker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;

/// One node: a ztunnel's data path with a mesh state and certificates of its own.
/// @param number counts from 1
record TestNode(int number, MeshState mesh, CertificateStore certificates, Revocation revocation, DataPath dataPath)
        implements AutoCloseable {
    private static final long RECEIVE_BUDGET_BYTES = 8 << 20;

    static TestNode start(String name, int number, EventLoopGroup loops, TestAuthority authority, Listeners listeners) {
        var mesh = new MeshState();
        var workers = new ArrayList<Worker>();
        loops.forEach(loop -> workers.add(new Worker((EventLoop) loop, PoolLimits.DEFAULTS, RECEIVE_BUDGET_BYTES)));
        var revocation = new Revocation();
        var certificates = new CertificateStore(authority, null, Clock.systemUTC(), TlsPolicy.DEFAULT, revocation);
        var settings = new NodeSettings(
                name, "", true, true, Duration.ofSeconds(5), Duration.ofSeconds(10), H2Limits.DEFAULTS);
        var metrics = new ConnectionMetrics(new SimpleMeterRegistry());
        var dataPath = new DataPath(new Node(mesh, certificates, metrics, loops, workers, settings), listeners);
        mesh.onChange(_ -> dataPath.recheckSoon());
        return new TestNode(number, mesh, certificates, revocation, dataPath);
    }

    @Override
    public void close() {
        dataPath.close();
        certificates.close();
    }
}
