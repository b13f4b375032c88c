package dev.culvert.ztunnel.app;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.ztunnel.dns.DnsListeners;
import dev.culvert.ztunnel.dns.PodDns;
import dev.culvert.ztunnel.inbound.InboundListener;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodProxy;
import dev.culvert.ztunnel.outbound.OutboundListener;
import dev.culvert.ztunnel.passthrough.PassthroughListener;
import dev.culvert.ztunnel.socks5.Socks5Listener;
import dev.culvert.ztunnel.socks5.Socks5Metrics;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The listeners of one pod. Guarded by the pod table, which is its only caller.
final class ServingPod implements PodProxy {
    private final Pod pod;
    private final InboundListener inbound;
    private final Listeners wanted;
    private final @Nullable PodDns names;
    private final @Nullable DnsListeners dns;
    private final List<Channel> listeners = new ArrayList<>(3);

    ServingPod(Pod pod, Listeners wanted) {
        this.pod = pod;
        this.wanted = wanted;
        this.inbound = new InboundListener(pod);
        this.names = wanted.dns() == null ? null : new PodDns(pod, wanted.dns());
        this.dns = names == null ? null : new DnsListeners(pod, names);
    }

    @Override
    public Pod pod() {
        return pod;
    }

    @Override
    public void start() throws IOException {
        try {
            if (wanted.proxy()) {
                listen(InboundListener.PORT, inbound);
                listen(PassthroughListener.PORT, new PassthroughListener(pod));
                listen(OutboundListener.PORT, new OutboundListener(pod));
            }
            if (dns != null) {
                dns.start();
            }
            if (wanted.socks5() != null) {
                listenSocks5(wanted.socks5());
            }
        } catch (IOException e) {
            closeListeners();
            throw e;
        }
    }

    private void listen(int port, ChannelHandler accepted) throws IOException {
        var loops = pod.node().loops();
        bind(port, () -> pod.sockets().listen(loops.next(), loops, port, accepted));
    }

    private void listenSocks5(Socks5Metrics metrics) throws IOException {
        var loops = pod.node().loops();
        var accepted = new Socks5Listener(pod, names, metrics);
        bind(
                Socks5Listener.ADDRESS.getPort(),
                () -> pod.sockets().listen(loops.next(), loops, Socks5Listener.ADDRESS, accepted));
    }

    private void bind(int port, Supplier<ChannelFuture> binding) throws IOException {
        try {
            var bound = binding.get().awaitUninterruptibly();
            if (!bound.isSuccess()) {
                throw new IOException("port " + port + " of pod " + pod.id() + ": "
                        + bound.cause().getMessage());
            }
            listeners.add(bound.channel());
        } catch (UncheckedIOException e) {
            throw new IOException("port " + port + " of pod " + pod.id() + ": " + e.getMessage(), e);
        }
    }

    private void closeListeners() {
        listeners.forEach(listener -> listener.close().awaitUninterruptibly());
        listeners.clear();
    }

    @Override
    public void drain() {
        closeListeners();
        inbound.drain();
        for (var worker : pod.node().workers()) {
            worker.loop().execute(() -> worker.pool().drain(pod.netnsInode()));
        }
    }

    @Override
    public void dropRevoked() {
        inbound.dropRevoked();
    }

    @Override
    public void stop() {
        closeListeners();
        if (dns != null) {
            dns.close(); // not before: names are resolved until the end of a drain
        }
        for (var worker : pod.node().workers()) {
            worker.loop().execute(() -> {
                for (var connection : worker.live()) {
                    if (connection.podUid().equals(pod.id().uid())) {
                        connection.cut(FailureReason.DRAINED, "connection closed due to connection drain");
                    }
                }
                worker.pool().close(pod.netnsInode());
            });
        }
        inbound.close();
        pod.sockets().close();
    }
}
