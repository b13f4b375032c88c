package dev.culvert.testkit;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// A name server on port 53 of a pod, by UDP and TCP, that answers as a script says.
final class NameServer implements AutoCloseable {
    private final DatagramChannel udp;
    private final ServerSocketChannel tcp;
    private final Script script;
    private final AtomicInteger asked = new AtomicInteger();
    private final Set<InetAddress> askers = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /// The messages to send for one that came; by TCP only the first counts.
    interface Script {
        List<byte[]> answers(byte[] question, boolean overTcp);
    }

    private NameServer(DatagramChannel udp, ServerSocketChannel tcp, Script script) {
        this.udp = udp;
        this.tcp = tcp;
        this.script = script;
    }

    static NameServer in(String pod, Script script) throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/run/netns", pod))) {
            var udp = netns.<DatagramChannel, IOException>call(DatagramChannel::open);
            var tcp = netns.<ServerSocketChannel, IOException>call(ServerSocketChannel::open);
            udp.bind(new InetSocketAddress(53));
            tcp.bind(new InetSocketAddress(53));
            var server = new NameServer(udp, tcp, script);
            server.threads.execute(() -> whileOpen(server::serveUdp));
            server.threads.execute(() -> whileOpen(server::serveTcp));
            return server;
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    private static void whileOpen(Step step) {
        try {
            while (true) {
                step.run();
            }
        } catch (IOException | UncheckedIOException closed) {
            return;
        }
    }

    private void serveUdp() throws IOException {
        var packet = new DatagramPacket(new byte[65_535], 65_535);
        udp.socket().receive(packet);
        asked.incrementAndGet();
        askers.add(packet.getAddress());
        for (var answer : script.answers(Arrays.copyOf(packet.getData(), packet.getLength()), false)) {
            udp.socket().send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
    }

    private void serveTcp() throws IOException {
        var accepted = tcp.accept().socket();
        threads.execute(() -> {
            try (accepted) {
                serve(accepted);
            } catch (IOException gone) {
                return;
            }
        });
    }

    private void serve(Socket connection) throws IOException {
        var in = new DataInputStream(connection.getInputStream());
        var out = new DataOutputStream(connection.getOutputStream());
        while (true) {
            var question = new byte[in.readUnsignedShort()];
            in.readFully(question);
            asked.incrementAndGet();
            var answer = script.answers(question, true).getFirst();
            out.writeShort(answer.length);
            out.write(answer);
        }
    }

    int asked() {
        return asked.get();
    }

    /// By UDP.
    Set<InetAddress> askers() {
        return askers;
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
        threads.shutdownNow();
        threads.close();
    }
}
