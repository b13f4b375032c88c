package dev.culvert.ztunnel.app;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.ztunnel.inbound.InboundListener;
import dev.culvert.ztunnel.inpod.NetnsSockets;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.SocketSettings;
import io.netty.channel.Channel;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// HBONE on the proxy's own port 15008, as its own identity: the mesh scrapes its metrics there, and reaches nothing
/// else. Thread-safe.
final class SelfListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("app");

    private final Pod pod;
    private final InboundListener inbound;
    private final Channel listener;

    private SelfListener(Pod pod, InboundListener inbound, Channel listener) {
        this.pod = pod;
        this.inbound = inbound;
        this.listener = listener;
    }

    /// @param statsPort the only port that may be asked for
    /// @throws IOException if the port is taken
    static SelfListener start(Node node, PodId self, SocketSettings sockets, int statsPort) throws IOException {
        var own = new NetnsSockets(NetworkNamespace.current(), sockets.transparent(false));
        var pod = new Pod(self, own, node.with(node.settings().spoofing(false)));
        var inbound = new InboundListener(pod, port -> port == statsPort);
        try {
            var bound = own.listen(node.loops().next(), node.loops(), InboundListener.PORT, inbound)
                    .awaitUninterruptibly();
            if (!bound.isSuccess()) {
                throw new IOException("port " + InboundListener.PORT + " of the proxy itself: "
                        + bound.cause().getMessage());
            }
            LOG.info("metrics are served by HBONE as {}", self);
            return new SelfListener(pod, inbound, bound.channel());
        } catch (IOException | UncheckedIOException e) {
            own.close();
            throw e;
        }
    }

    /// Takes nothing new.
    void drain() {
        listener.close().awaitUninterruptibly();
        inbound.drain();
    }

    @Override
    public void close() {
        drain();
        inbound.close();
        pod.sockets().close();
    }
}
