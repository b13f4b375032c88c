package dev.culvert.testkit.netns;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules;
import dev.culvert.agent.rules.PodRoutes;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.testkit.backend.AppListener;
import dev.culvert.testkit.backend.AppSocket;
import dev.culvert.testkit.backend.Place;
import dev.culvert.ztunnel.inpod.NetnsSockets;
import dev.culvert.ztunnel.inpod.PodSockets;
import dev.culvert.ztunnel.inpod.SocketSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/// One pod's network namespace. Its applications are the test: sockets are made inside, on a platform thread.
final class NetnsPlace implements Place {
    private static final SocketSettings SETTINGS =
            new SocketSettings(1337, true, true, true, Duration.ofSeconds(10), SocketSettings.Keepalive.DEFAULT);
    private static final int CONNECT_MILLIS = 5000;

    private final String namespace;

    NetnsPlace(String namespace) {
        this.namespace = namespace;
    }

    private NetworkNamespace open() throws IOException {
        return NetworkNamespace.open(Shell.netns(namespace));
    }

    @Override
    public PodSockets sockets() throws IOException {
        return new NetnsSockets(open(), SETTINGS);
    }

    @Override
    public void capture(boolean dns) throws IOException {
        Shell.inside(
                namespace,
                "nft -f - <<'END'\n%sEND\nip -batch - <<'END'\n%sEND\nip -6 -batch - <<'END'\n%sEND\n"
                        .formatted(
                                InPodRules.made(InPodRules.TABLES) + InPodRules.enrolled(new Capture(dns, true)),
                                PodRoutes.added(),
                                PodRoutes.added()));
    }

    @Override
    public AppSocket connect(InetSocketAddress to) throws IOException {
        try (var netns = open()) {
            var channel = netns.<SocketChannel, IOException>call(SocketChannel::open);
            try {
                channel.socket().connect(to, CONNECT_MILLIS);
                channel.socket().setTcpNoDelay(true);
                return new NetnsAppSocket(channel);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        }
    }

    @Override
    public AppListener listen(int port) throws IOException {
        try (var netns = open()) {
            var channel = netns.<ServerSocketChannel, IOException>call(ServerSocketChannel::open);
            channel.bind(new InetSocketAddress(port), 1024);
            return new NetnsAppListener(channel);
        }
    }

    @Override
    public void remove() throws IOException {
        Shell.run("ip netns del " + namespace);
    }
}
