package dev.culvert.waypoint.edge;

import dev.culvert.proxy.socket.HalfClosed;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.http.Serving;
import dev.culvert.waypoint.http.Worker;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The ports of a gateway, and the connections that clients have opened. A port is listened to as soon as
/// the controller tells of it, and no longer than that; a certificate or a route that changes touches no connection.
/// Thread-safe.
public final class EdgeListener {
    private static final Logger LOG = LoggerFactory.getLogger("edge");

    private final Config config;
    private final EventLoopGroup loops;
    private final Map<Integer, Channel> bound = new HashMap<>();
    private final Set<EdgeConnection> connections = ConcurrentHashMap.newKeySet();
    private boolean closed;

    record Config(Serving serving, List<Worker> workers, EdgeConfigs configs, Bounds bounds) {
        Config {
            workers = List.copyOf(workers);
        }
    }

    /// @param connections that may be open at a time
    /// @param handshake bound of a TLS handshake, from the first byte on
    public record Bounds(int connections, Duration handshake) {}

    /// @param serving with limits for those who are not known
    /// @param services told of what requests are judged by
    public EdgeListener(
            Serving serving, List<Worker> workers, ServiceConfigs services, EventLoopGroup loops, Bounds bounds) {
        this.loops = loops;
        this.config = new Config(serving, workers, new EdgeConfigs(services, this::listen), bounds);
    }

    /// What is to be received.
    public EdgeConfigs configs() {
        return config.configs;
    }

    /// Opens and closes ports, so that they are those that were said.
    private synchronized void listen(Optional<Edge> now) {
        var wanted = now.map(edge -> edge.ports().keySet()).orElse(Set.of());
        bound.entrySet().removeIf(entry -> {
            if (wanted.contains(entry.getKey())) {
                return false;
            }
            entry.getValue().close();
            LOG.info("port {} is no longer listened to", entry.getKey());
            return true;
        });
        for (var port : wanted) {
            if (!closed && !bound.containsKey(port)) {
                bind(port);
            }
        }
    }

    /// One that cannot be had now is tried again with the next change.
    private void bind(int port) {
        var opened = new ServerBootstrap()
                .group(loops)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new Accepted(port))
                .bind(port)
                .awaitUninterruptibly();
        if (opened.isSuccess()) {
            bound.put(port, opened.channel());
            LOG.info("port {} is listened to", port);
        } else {
            LOG.error(
                    "port {} cannot be listened to: {}; is something else on it?",
                    port,
                    opened.cause().getMessage());
        }
    }

    /// Takes no more connections.
    public synchronized void stop() {
        closed = true;
        bound.values().forEach(channel -> channel.close().awaitUninterruptibly());
        bound.clear();
    }

    public void close() {
        stop();
        connections.forEach(EdgeConnection::close);
    }

    @Sharable
    private final class Accepted extends ChannelInboundHandlerAdapter {
        private final int port;

        Accepted(int port) {
            this.port = port;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.pipeline().replace(this, "half-closed", HalfClosed.INSTANCE);
            if (connections.size() >= config.bounds.connections()) {
                config.serving.metrics().limited("downstream_connections");
                context.close();
                return;
            }
            var worker = Worker.of(context.channel(), config.workers);
            var connection = new EdgeConnection(config, worker, context.channel(), port);
            connections.add(connection);
            context.channel().closeFuture().addListener(_ -> connections.remove(connection));
            connection.serve();
        }
    }
}
