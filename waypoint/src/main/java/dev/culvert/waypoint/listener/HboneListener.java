package dev.culvert.waypoint.listener;

import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.waypoint.http.Serving;
import dev.culvert.waypoint.http.Worker;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Port 15008: tunnels that come in. Thread-safe.
@Sharable
public final class HboneListener extends ChannelInboundHandlerAdapter {
    private final Config config;
    private final Set<DownstreamConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;

    /// @param gateway our Gateway's Service, by which pods name us
    public record Config(
            Serving serving,
            List<Worker> workers,
            CertificateStore certificates,
            NamespacedHostname gateway,
            Bounds bounds) {
        public Config {
            workers = List.copyOf(workers);
        }
    }

    /// @param connections that may be open at a time
    /// @param handshake bound of a TLS handshake
    /// @param configWait how long a tunnel waits for the controller to tell of its Service
    public record Bounds(H2Limits h2, int connections, Duration handshake, Duration configWait) {}

    public HboneListener(Config config) {
        this.config = config;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        if (connections.size() >= config.bounds.connections()) {
            config.serving.metrics().limited("downstream_connections");
            context.close();
            return;
        }
        var worker = Worker.of(context.channel(), config.workers);
        var connection = new DownstreamConnection(config, worker, context.channel());
        connections.add(connection);
        if (draining) {
            connection.drain(); // it was accepted before the port was closed
        }
        context.channel().closeFuture().addListener(_ -> connections.remove(connection));
        connection.serve();
    }

    /// Takes no more tunnels on what is open.
    public void drain() {
        draining = true;
        connections.forEach(DownstreamConnection::drain);
    }

    public void close() {
        connections.forEach(DownstreamConnection::close);
    }
}
