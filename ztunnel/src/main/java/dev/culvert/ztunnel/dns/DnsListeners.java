package dev.culvert.ztunnel.dns;

import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.unix.Errors.NativeIoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Port 15053 in one pod, by UDP and TCP, on its loopback. Guarded by the pod's proxy, which is its only caller.
public final class DnsListeners implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dns");

    private final Pod pod;
    private final PodDns dns;
    private final List<Channel> listeners = new ArrayList<>(4);

    public DnsListeners(Pod pod, PodDns dns) {
        this.pod = pod;
        this.dns = dns;
    }

    /// @throws IOException if an address that the pod has cannot be bound; nothing is left bound then
    public void start() throws IOException {
        var tcp = new TcpQuestions(dns);
        try {
            for (var address : dns.shared().settings().listen()) {
                if (bind(
                        address,
                        "udp",
                        () -> pod.sockets().bindUdp(pod.node().loops().next(), address, new UdpQuestions(dns)))) {
                    bind(
                            address,
                            "tcp",
                            () -> pod.sockets()
                                    .listen(
                                            pod.node().loops().next(),
                                            pod.node().loops(),
                                            address,
                                            tcp));
                }
            }
            if (listeners.isEmpty()) {
                throw new IOException("pod " + pod.id() + " has no loopback address for the DNS proxy");
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /// @return false where the pod's loopback has no IPv6
    private boolean bind(InetSocketAddress address, String protocol, Supplier<ChannelFuture> binding)
            throws IOException {
        Throwable cause;
        try {
            var bound = binding.get().awaitUninterruptibly();
            if (bound.isSuccess()) {
                listeners.add(bound.channel());
                return true;
            }
            cause = bound.cause();
        } catch (UncheckedIOException e) {
            cause = e;
        }
        if (address.getAddress() instanceof Inet6Address && isNotThere(cause)) {
            LOG.debug("pod {} has no {}: {}", pod.id(), address, cause.toString());
            return false;
        }
        throw new IOException(
                "DNS proxy at " + address + "/" + protocol + " of pod " + pod.id() + ": " + cause.getMessage(), cause);
    }

    /// `EADDRNOTAVAIL` and `EAFNOSUPPORT`.
    private static boolean isNotThere(Throwable cause) {
        return cause instanceof NativeIoException e && (e.expectedErr() == -99 || e.expectedErr() == -97);
    }

    @Override
    public void close() {
        listeners.forEach(listener -> listener.close().awaitUninterruptibly());
        listeners.clear();
    }
}
