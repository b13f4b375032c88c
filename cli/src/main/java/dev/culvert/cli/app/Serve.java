package dev.culvert.cli.app;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// A small server: HTTP/1.1 that answers who it is and whom it sees, and a TCP port that echoes lines.
@Command(name = "serve", description = "A small HTTP server that says who it is and whom it sees, and a line echo.")
public final class Serve implements Callable<Integer> {
    private static final int MOST_HEADERS = 100;
    private static final int MOST_BODY = 1 << 20;

    @Option(
            names = "--http",
            paramLabel = "PORT",
            description = "Port for HTTP (default: ${DEFAULT-VALUE}).",
            defaultValue = "8080")
    int httpPort;

    @Option(
            names = "--tcp",
            paramLabel = "PORT",
            description = "Port that echoes lines (default: none).",
            defaultValue = "0")
    int tcpPort;

    @Override
    public Integer call() throws IOException, InterruptedException {
        var threads = new ArrayList<Thread>();
        threads.add(listen(httpPort, Serve::http));
        if (tcpPort != 0) {
            threads.add(listen(tcpPort, Serve::echo));
        }
        for (var thread : threads) {
            thread.join();
        }
        return 0;
    }

    private interface Conversation {
        void serve(Socket socket) throws IOException;
    }

    private static Thread listen(int port, Conversation conversation) throws IOException {
        var server = new ServerSocket(port, 1024, InetAddress.getByName("::"));
        System.out.println("listening on " + server.getLocalPort());
        return Thread.ofPlatform().start(() -> {
            try (server) {
                while (true) {
                    var socket = server.accept();
                    Thread.ofVirtual().start(() -> serve(conversation, socket));
                }
            } catch (IOException e) {
                System.err.println("no more connections are accepted: " + e);
            }
        });
    }

    private static void serve(Conversation conversation, Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            conversation.serve(socket);
        } catch (IOException e) {
            System.out.println(socket.getRemoteSocketAddress() + ": " + e.getMessage());
        }
    }

    private static void echo(Socket socket) throws IOException {
        socket.getInputStream().transferTo(socket.getOutputStream());
    }

    private static void http(Socket socket) throws IOException {
        var in = new BufferedInputStream(socket.getInputStream());
        while (true) {
            var lines = head(in);
            if (lines.isEmpty()) {
                return;
            }
            var body = new String(in.readNBytes(length(lines)), StandardCharsets.UTF_8);
            answer(socket, lines, body);
            if (lines.stream().anyMatch(line -> line.equalsIgnoreCase("connection: close"))) {
                return;
            }
        }
    }

    /// Request line and headers; empty at the end of the connection.
    private static List<String> head(BufferedInputStream in) throws IOException {
        var lines = new ArrayList<String>();
        while (lines.size() < MOST_HEADERS) {
            var line = line(in);
            if (line.isEmpty()) {
                return lines;
            }
            lines.add(line);
        }
        throw new IOException("more than " + MOST_HEADERS + " headers");
    }

    private static String line(BufferedInputStream in) throws IOException {
        var text = new StringBuilder();
        for (var c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            text.append((char) c);
        }
        return text.toString().stripTrailing();
    }

    private static int length(List<String> lines) throws IOException {
        for (var line : lines) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                var length = Integer.parseInt(line.substring(15).strip());
                if (length < 0 || length > MOST_BODY) {
                    throw new IOException("a body of " + length + " bytes");
                }
                return length;
            }
        }
        return 0;
    }

    private static void answer(Socket socket, List<String> lines, String body) throws IOException {
        var peer = (InetSocketAddress) socket.getRemoteSocketAddress();
        var text = new StringBuilder();
        text.append("pod: ")
                .append(System.getenv().getOrDefault("POD_NAME", "?"))
                .append('\n');
        text.append("peer: ").append(peer.getAddress().getHostAddress()).append('\n');
        lines.forEach(line -> text.append("> ").append(line).append('\n'));
        if (!body.isEmpty()) {
            text.append(body).append('\n');
        }
        var bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        var head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + bytes.length + "\r\n\r\n";
        var all = new ByteArrayOutputStream();
        all.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
        all.writeBytes(bytes);
        all.writeTo(socket.getOutputStream());
    }

    /// For tests and clients: a reader of lines.
    static BufferedReader lines(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }
}
