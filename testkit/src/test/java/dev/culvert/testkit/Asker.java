package dev.culvert.testkit;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.ztunnel.dns.message.BadMessageException;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.Reply;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// An application of a pod that asks for names, as it would without a mesh: a name server somewhere, port 53.
final class Asker implements AutoCloseable {
    static final int A = 1;
    static final int AAAA = 28;

    private static final InetSocketAddress SOMEWHERE =
            new InetSocketAddress(InetAddress.ofLiteral("198.19.255.53"), 53);
    private static final int PATIENCE_MILLIS = 15_000;

    private final String pod;
    private final DatagramChannel udp;
    private int id;

    private Asker(String pod, DatagramChannel udp) {
        this.pod = pod;
        this.udp = udp;
    }

    static Asker in(String pod) throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/run/netns", pod))) {
            var udp = netns.<DatagramChannel, IOException>call(DatagramChannel::open);
            udp.bind(new InetSocketAddress(0));
            udp.socket().setSoTimeout(PATIENCE_MILLIS);
            return new Asker(pod, udp);
        }
    }

    static Query query(String name, int type) {
        try {
            return Query.of(name, type);
        } catch (BadMessageException e) {
            throw new AssertionError(e);
        }
    }

    /// By UDP.
    Reply ask(String name, int type) throws IOException {
        var query = query(name, type);
        send(query.bytes(++id));
        return Reply.to(query, id, receive()).orElseThrow(() -> new AssertionError("an answer to something else"));
    }

    void send(byte[] message) throws IOException {
        udp.socket().send(new DatagramPacket(message, message.length, SOMEWHERE));
    }

    /// The server's address must be the one that was asked.
    byte[] receive() throws IOException {
        var packet = new DatagramPacket(new byte[65_535], 65_535);
        udp.socket().receive(packet);
        if (!packet.getSocketAddress().equals(SOMEWHERE)) {
            throw new AssertionError("an answer of " + packet.getSocketAddress());
        }
        return Arrays.copyOf(packet.getData(), packet.getLength());
    }

    /// A connection to the name server.
    Socket tcp() throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/run/netns", pod))) {
            var socket =
                    netns.<SocketChannel, IOException>call(SocketChannel::open).socket();
            socket.connect(SOMEWHERE, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            return socket;
        }
    }

    Reply askOverTcp(String name, int type) throws IOException {
        var query = query(name, type);
        try (var socket = tcp()) {
            write(socket, query.bytes(++id));
            return Reply.to(query, id, read(socket))
                    .orElseThrow(() -> new AssertionError("an answer to something else"));
        }
    }

    static void write(Socket socket, byte[] message) throws IOException {
        var framed = new byte[2 + message.length];
        framed[0] = (byte) (message.length >> 8);
        framed[1] = (byte) message.length;
        System.arraycopy(message, 0, framed, 2, message.length);
        new DataOutputStream(socket.getOutputStream()).write(framed);
    }

    static byte[] read(Socket socket) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        var message = new byte[in.readUnsignedShort()];
        in.readFully(message);
        return message;
    }

    /// What the C library's resolver finds, with a `resolv.conf` of Kubernetes' kind.
    static List<InetAddress> getent(String pod, String database, String name) throws Exception {
        var conf = Files.createTempFile("resolv", ".conf");
        try {
            Files.writeString(conf, """
                    nameserver %s
                    search default.svc.cluster.local svc.cluster.local cluster.local
                    options ndots:5 timeout:5
                    """.formatted(SOMEWHERE.getAddress().getHostAddress()));
            var process = new ProcessBuilder(
                            "nsenter",
                            "--net=/run/netns/" + pod,
                            "unshare",
                            "--mount",
                            "sh",
                            "-ec",
                            "mount --bind \"$1\" /etc/resolv.conf; exec getent \"$2\" \"$3\"",
                            "sh",
                            conf.toString(),
                            database,
                            name)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(30, TimeUnit.SECONDS) || (process.exitValue() != 0 && process.exitValue() != 2)) {
                throw new AssertionError("getent: " + output);
            }
            return Stream.of(output.split("\n", -1))
                    .filter(line -> !line.isBlank())
                    .map(line -> InetAddress.ofLiteral(line.substring(0, line.indexOf(' '))))
                    .distinct()
                    .toList();
        } finally {
            Files.delete(conf);
        }
    }

    @Override
    public void close() throws IOException {
        udp.close();
    }
}
