package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/// One HTTP/1.1 request by a socket made in a namespace. The host is an address: names belong to pods.
record Fetch(String method, String url, Map<String, String> headers) {
    private static final int MILLIS = 5000;
    private static final int MOST_BODY = 64 << 20;

    /// Whether the answer is 200.
    boolean isOk(Path namespace) throws IOException {
        return from(namespace, JsonNodeFactory.instance.objectNode())
                        .path("status")
                        .asInt()
                == 200;
    }

    /// Adds `status` and `body`, or `failure`, to `answer`.
    ObjectNode from(Path namespace, ObjectNode answer) throws IOException {
        var uri = URI.create(url);
        try (var netns = NetworkNamespace.open(namespace);
                Socket socket = netns.call(() -> connect(uri))) {
            socket.getOutputStream().write(request(uri));
            var in = new BufferedInputStream(socket.getInputStream());
            var status = line(in);
            if (status.length() < 12) {
                return answer.put("failure", "the connection was closed without an answer");
            }
            var body = body(in);
            answer.put("status", Integer.parseInt(status.substring(9, 12)));
            return answer.put("body", new String(body, StandardCharsets.UTF_8));
        } catch (SocketException | SocketTimeoutException e) {
            return answer.put("failure", String.valueOf(e.getMessage()));
        }
    }

    private static Socket connect(URI uri) throws IOException {
        var host = uri.getHost().startsWith("[")
                ? uri.getHost().substring(1, uri.getHost().length() - 1)
                : uri.getHost();
        var socket = new Socket();
        try {
            socket.setSoTimeout(MILLIS);
            socket.connect(new InetSocketAddress(host, uri.getPort() < 0 ? 80 : uri.getPort()), MILLIS);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private byte[] request(URI uri) {
        var path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        var text = new StringBuilder(method).append(' ').append(path);
        if (uri.getRawQuery() != null) {
            text.append('?').append(uri.getRawQuery());
        }
        text.append(" HTTP/1.1\r\nHost: ").append(uri.getAuthority()).append("\r\nConnection: close\r\n");
        headers.forEach(
                (name, value) -> text.append(name).append(": ").append(value).append("\r\n"));
        if (method.equals("POST")) {
            text.append("Content-Length: 0\r\n");
        }
        return text.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] body(InputStream in) throws IOException {
        var length = MOST_BODY; // it ends with the connection
        var chunked = false;
        for (var line = line(in); !line.isEmpty(); line = line(in)) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Math.clamp(Long.parseLong(line.substring(15).strip()), 0, MOST_BODY);
            }
            chunked |= line.toLowerCase(Locale.ROOT).startsWith("transfer-encoding: chunked");
        }
        return chunked ? chunks(in) : in.readNBytes(length);
    }

    private static byte[] chunks(InputStream in) throws IOException {
        var body = new ByteArrayOutputStream();
        for (var size = chunkSize(in); size > 0; size = chunkSize(in)) {
            if (size > MOST_BODY - body.size()) {
                throw new IOException("an answer of more than " + MOST_BODY + " bytes");
            }
            body.writeBytes(in.readNBytes(size));
            line(in);
        }
        return body.toByteArray();
    }

    private static int chunkSize(InputStream in) throws IOException {
        var line = line(in);
        try {
            return Integer.parseInt(line, 16);
        } catch (NumberFormatException e) {
            throw new IOException("not the size of a chunk: " + line, e);
        }
    }

    private static String line(InputStream in) throws IOException {
        var text = new StringBuilder();
        for (var c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            text.append((char) c);
        }
        return text.toString().stripTrailing();
    }
}
