package dev.culvert.e2e;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// A pod of the mesh. Its app is the test: sockets are made inside its network namespace, on a platform thread.
/// @param key `namespace/name`
record TestPod(String key, String node, InetAddress v4, InetAddress v6) {
    static final int PORT = 8080;

    private Path netns() {
        return Path.of("/run/netns", "pod-" + key.replace('/', '-'));
    }

    /// Connects to an address of the server's port.
    Conversation connect(InetAddress to) throws IOException {
        return connect(new InetSocketAddress(to, PORT));
    }

    Conversation connect(InetSocketAddress to) throws IOException {
        return connect(netns(), to);
    }

    /// Connects from its node itself, as a process of the user that stands for the kubelet.
    Conversation connectFromItsNode(InetSocketAddress to) throws IOException {
        return connect(Path.of("/run/netns", node), to);
    }

    private static Conversation connect(Path from, InetSocketAddress to) throws IOException {
        try (var netns = NetworkNamespace.open(from)) {
            Socket socket =
                    netns.<SocketChannel, IOException>call(SocketChannel::open).socket();
            return Conversation.connect(socket, to);
        }
    }

    /// One round trip on a new connection.
    void say(InetAddress to, String text) throws IOException {
        try (var conversation = connect(to)) {
            conversation.roundTrip(text);
        }
    }

    Server echo() throws IOException {
        return serve(PORT, Server::echo);
    }

    /// Listens on a port for both families.
    Server serve(int port, Server.Service service) throws IOException {
        try (var netns = NetworkNamespace.open(netns())) {
            var listening = netns.<ServerSocketChannel, IOException>call(ServerSocketChannel::open);
            return new Server(listening.bind(new InetSocketAddress(port), 1024), service);
        }
    }

    /// Its address of a family.
    InetAddress address(Family family) {
        return switch (family) {
            case V4 -> v4;
            case V6 -> v6;
        };
    }

    /// An IP family.
    enum Family {
        V4,
        V6
    }
}
