package dev.culvert.agent.pods;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// A pod and a peer on one wire, with both IP families, in namespaces of their own.
final class PodNetwork {
    private static final AtomicInteger COUNT = new AtomicInteger();
    static final List<String> FAMILIES = List.of("198.18.64.", "2001:2:0:40::");

    final Path podPath;
    final NetworkNamespace pod;
    final NetworkNamespace peer;
    private final String podName = "pod-" + COUNT.incrementAndGet();
    private final String peerName = "peer-of-" + podName;

    PodNetwork() throws Exception {
        podPath = Path.of("/run/netns", podName);
        for (var name : List.of(podName, peerName)) {
            run("ip", "netns", "add", name);
            run("ip", "-n", name, "link", "set", "lo", "up");
        }
        run("ip", "-n", podName, "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", peerName);
        for (var prefix : FAMILIES) {
            address(podName, prefix + "2", prefix.contains(":") ? "64" : "24");
            address(peerName, prefix + "1", prefix.contains(":") ? "64" : "24");
        }
        run("ip", "-n", podName, "link", "set", "eth0", "up");
        run("ip", "-n", peerName, "link", "set", "eth0", "up");
        pod = NetworkNamespace.open(podPath);
        peer = NetworkNamespace.open(Path.of("/run/netns", peerName));
    }

    private static void address(String namespace, String address, String length) throws Exception {
        run("ip", "-n", namespace, "addr", "add", address + "/" + length, "dev", "eth0", "nodad");
    }

    static String run(String... command) throws Exception {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(List.of(command) + ": " + output);
        }
        return output;
    }

    String inPod(String... command) throws Exception {
        var all = new ArrayList<>(List.of("nsenter", "--net=" + podPath));
        all.addAll(List.of(command));
        return run(all.toArray(String[]::new));
    }

    /// The rules in the pod, without counters, and without what tells whose a table is.
    String ruleset() throws Exception {
        return inPod("nft", "--stateless", "list", "ruleset")
                .replaceAll(" # progname \\S+\n", "\n")
                .replaceAll("\n\tflags (owner)?\n\n?", "\n");
    }

    /// As an agent made them that knew of no owners: they stay anybody's.
    void addOlderTables() throws Exception {
        inPod("nft", "add table inet istio-ambient-mangle; add table inet istio-ambient-nat");
    }

    /// Sockets of netfilter in the pod, without the kernel's own, whose number is 0.
    long netfilterSockets() throws Exception {
        return inPod("cat", "/proc/net/netlink")
                .lines()
                .map(line -> line.split("\\s+"))
                .filter(columns -> columns[1].equals("12") && !columns[2].equals("0"))
                .count();
    }

    String inPeer(String... command) throws Exception {
        var all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + peerName));
        all.addAll(List.of(command));
        return run(all.toArray(String[]::new));
    }

    /// A server that says `name` and then echoes lines.
    static ServerSocket server(NetworkNamespace namespace, int port, String name) throws Exception {
        ServerSocket server = namespace.call(() -> new ServerSocket(port, 16, InetAddress.getByName("::")));
        Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    var socket = server.accept();
                    Thread.startVirtualThread(() -> echo(socket, name));
                }
            } catch (IOException e) {
                // closed
            }
        });
        return server;
    }

    private static void echo(Socket socket, String name) {
        try (socket) {
            socket.getOutputStream().write((name + "\n").getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // the test has closed it
        }
    }

    /// A connection; its first line says who answered.
    static Line connect(NetworkNamespace from, String address, int port) throws Exception {
        var to = new InetSocketAddress(InetAddress.getByName(address), port);
        Socket socket = from.call(() -> {
            var made = new Socket();
            made.setSoTimeout(5000);
            made.connect(to, 5000);
            return made;
        });
        return new Line(socket);
    }

    Line connectFromPeer(String address, int port) throws Exception {
        return connect(peer, address, port);
    }

    /// One connection, line by line.
    record Line(Socket socket) implements AutoCloseable {
        String read() throws IOException {
            var text = new StringBuilder();
            for (var c = socket.getInputStream().read();
                    c != '\n';
                    c = socket.getInputStream().read()) {
                if (c < 0) {
                    throw new EOFException(text.toString());
                }
                text.append((char) c);
            }
            return text.toString();
        }

        String roundTrip(String text) throws IOException {
            socket.getOutputStream().write((text + "\n").getBytes(StandardCharsets.US_ASCII));
            return read();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    void close() throws Exception {
        pod.close();
        peer.close();
        run("ip", "netns", "del", podName);
        run("ip", "netns", "del", peerName);
    }
}
