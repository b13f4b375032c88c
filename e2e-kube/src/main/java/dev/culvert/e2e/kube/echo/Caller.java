package dev.culvert.e2e.kube.echo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// Requests of HTTP/1.1.
final class Caller {
    private static final int WAIT_MILLIS = 15_000;
    private static final int LONGEST_LINE = 16_384;

    private Caller() {}

    /// What came back.
    record Answer(int status, String body, boolean isLast) {
        String pod() {
            return body.startsWith("\0")
                    ? "h2/" + body.substring(Http2.PREFIX)
                    : body.lines().findFirst().orElse("-");
        }
    }

    static Answer once(String method, String url, List<String> headers) throws IOException {
        try (var connection = new Connection(URI.create(url))) {
            return connection.ask(method, headers);
        }
    }

    /// @return a line for each status of each pod: how often it came, status, pod; the status is 0 for none
    static String call(int count, int atOnce, String method, String url, List<String> headers) throws Exception {
        var seen = new TreeMap<String, Integer>();
        var left = new AtomicInteger(count);
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var i = 0; i < atOnce; i++) {
                var _ = callers.submit(() -> {
                    while (left.getAndDecrement() > 0) {
                        askAsLongAsItIsOpen(left, method, URI.create(url), headers, seen);
                    }
                    return true;
                });
            }
        }
        return told(seen);
    }

    static String told(Map<String, Integer> seen) {
        var text = new StringBuilder();
        seen.forEach(
                (what, times) -> text.append(times).append(' ').append(what).append('\n'));
        return text.toString();
    }

    /// One that was taken already, and as many more as its connection takes.
    private static void askAsLongAsItIsOpen(
            AtomicInteger left, String method, URI url, List<String> headers, Map<String, Integer> seen) {
        try (var connection = new Connection(url)) {
            Answer answer;
            do {
                answer = connection.ask(method, headers);
                count(seen, answer.status() + " " + (answer.status() == 200 ? answer.pod() : "-"));
            } while (!answer.isLast() && left.getAndDecrement() > 0);
        } catch (IOException e) {
            count(seen, "0 -");
        }
    }

    private static void count(Map<String, Integer> seen, String what) {
        synchronized (seen) {
            seen.merge(what, 1, Integer::sum);
        }
    }

    /// One after the other on a connection.
    private static final class Connection implements AutoCloseable {
        private final URI url;
        private final Socket socket = new Socket();
        private final BufferedInputStream in;

        Connection(URI url) throws IOException {
            this.url = url;
            socket.setSoTimeout(WAIT_MILLIS);
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(url.getHost(), url.getPort() < 0 ? 80 : url.getPort()), WAIT_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        }

        Answer ask(String method, List<String> headers) throws IOException {
            var query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
            var head = new StringBuilder(method + " " + url.getRawPath() + query + " HTTP/1.1\r\n");
            if (headers.stream().noneMatch(header -> header.regionMatches(true, 0, "host:", 0, 5))) {
                head.append("Host: ").append(url.getAuthority()).append("\r\n");
            }
            headers.forEach(header -> head.append(header).append("\r\n"));
            head.append("Content-Length: 0\r\n\r\n");
            socket.getOutputStream().write(head.toString().getBytes(StandardCharsets.UTF_8));
            return answer();
        }

        private Answer answer() throws IOException {
            var first = line();
            var length = 0;
            var isLast = false;
            for (var header = line(); !header.isEmpty(); header = line()) {
                length = Math.max(length, Lines.length(header));
                isLast |= header.equalsIgnoreCase("connection: close");
            }
            var body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
            return new Answer(Integer.parseInt(first.split(" ", 3)[1]), body, isLast);
        }

        private String line() throws IOException {
            var line = Lines.read(in, LONGEST_LINE);
            if (line == null) {
                throw new IOException("closed without an answer");
            }
            return line;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
