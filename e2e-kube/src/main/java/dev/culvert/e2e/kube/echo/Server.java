package dev.culvert.e2e.kube.echo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Answers its pod's name, the request's line and its headers. Words of the query change that: `fail=PREFIX` answers
/// 503 in pods of that prefix, `slow=PREFIX` answers them after 300 ms, `counts` tells of connections as well, since
/// the last time that somebody asked.
final class Server {
    private static final int BACKLOG = 1024;
    private static final int LONGEST_LINE = 16_384;
    private static final long SLOW_MILLIS = 300;

    private final String pod;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger mostOpen = new AtomicInteger();
    private final AtomicInteger mostRequests = new AtomicInteger();
    private final AtomicInteger shadows = new AtomicInteger();

    Server(String pod) {
        this.pod = pod;
    }

    /// What is done with a connection.
    @FunctionalInterface
    interface Talk {
        void hold(InputStream in, OutputStream out) throws Exception;
    }

    void listen(int port, Talk talk) throws IOException {
        listen(new InetSocketAddress(port), talk);
    }

    /// For its own pod only.
    void listenAtHome(int port, Talk talk) throws IOException {
        listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), talk);
    }

    private void listen(InetSocketAddress address, Talk talk) throws IOException {
        var listening = new ServerSocket();
        listening.setReuseAddress(true);
        listening.bind(address, BACKLOG);
        Thread.ofPlatform().start(() -> accept(listening, talk));
    }

    private void accept(ServerSocket listening, Talk talk) {
        try {
            while (true) {
                var socket = listening.accept();
                Thread.ofVirtual().start(() -> serve(socket, talk));
            }
        } catch (IOException e) {
            throw new IllegalStateException("no more connections are accepted", e);
        }
    }

    private void serve(Socket socket, Talk talk) {
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        try (socket) {
            socket.setTcpNoDelay(true);
            talk.hold(new BufferedInputStream(socket.getInputStream()), socket.getOutputStream());
        } catch (Exception e) {
            System.err.println("connection: " + e);
        } finally {
            open.decrementAndGet();
        }
    }

    void greet(InputStream in, OutputStream out) throws IOException {
        out.write((pod + "\n").getBytes(StandardCharsets.UTF_8));
        in.transferTo(out);
    }

    void converse(InputStream in, OutputStream out) throws Exception {
        var requests = 0;
        while (true) {
            var line = Lines.read(in, LONGEST_LINE);
            if (line == null) {
                return;
            }
            if (line.startsWith("PRI * HTTP/2.0")) {
                in.readNBytes(Http2.REST_OF_PREFACE);
                Http2.serve(in, out, pod);
                return;
            }
            var headers = new ArrayList<String>();
            var wanted = 0;
            while (true) {
                var header = Lines.read(in, LONGEST_LINE);
                if (header == null || header.isEmpty()) {
                    break;
                }
                headers.add(header);
                wanted = Math.max(wanted, Lines.length(header));
                if (Lines.isShadow(header)) {
                    shadows.incrementAndGet();
                }
            }
            in.readNBytes(wanted);
            mostRequests.accumulateAndGet(++requests, Math::max);
            answer(line, headers, out);
        }
    }

    private void answer(String line, List<String> headers, OutputStream out) throws Exception {
        if (isMeant(line, "slow=")) {
            TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
        }
        var body = new StringBuilder(pod).append('\n').append(line).append('\n');
        headers.forEach(header -> body.append("header ").append(header).append('\n'));
        if (line.contains("?counts")) {
            body.append("most connections ")
                    .append(mostOpen.getAndSet(open.get()))
                    .append('\n');
            body.append("most requests ").append(mostRequests.getAndSet(0)).append('\n');
            body.append("shadows ").append(shadows.getAndSet(0)).append('\n');
        }
        var bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        var status = isMeant(line, "fail=") ? "503 Service Unavailable" : "200 OK";
        var head =
                "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nContent-Length: " + bytes.length + "\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
        out.flush();
    }

    private boolean isMeant(String line, String word) {
        var from = line.indexOf(word);
        return from >= 0 && pod.startsWith(line.substring(from + word.length()).split("[ &]", 2)[0]);
    }
}
