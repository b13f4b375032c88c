package dev.culvert.cni;

import dev.culvert.cni.CniException.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Asks the agent: one HTTP/1.1 exchange over its UNIX socket, as Istio's plugin does. Blocks; the main
/// thread watches the time.
final class AgentClient {
    private static final int MAX_ANSWER = 1 << 16;
    private static final String NEXT =
            "is the agent (DaemonSet istio-cni-node) running on this node? Until it is, pods in the mesh do not start";

    private final String socket;

    AgentClient(String socket) {
        this.socket = socket;
    }

    /// @param body empty text if it said nothing
    record Answer(int status, String body) {}

    Answer post(String path, String json) throws CniException {
        byte[] answer;
        try (var channel = connect()) {
            var body = json.getBytes(StandardCharsets.UTF_8);
            var head = "POST " + path
                    + " HTTP/1.1\r\nHost: unix\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                    + body.length + "\r\n\r\n";
            write(channel, head.getBytes(StandardCharsets.US_ASCII), body);
            answer = read(channel);
        } catch (IOException e) {
            throw new CniException(Code.TRY_AGAIN, "the agent at " + socket + " broke off: " + e.getMessage(), NEXT);
        }
        return parse(answer);
    }

    private SocketChannel connect() throws CniException {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw new CniException(Code.TRY_AGAIN, "no agent at " + socket + ": " + e.getMessage(), NEXT);
        } catch (IllegalArgumentException e) {
            throw PluginConfig.bad("\"cni_agent_run_dir\": " + e.getMessage());
        }
    }

    private static void write(SocketChannel channel, byte[] head, byte[] body) throws IOException {
        var all = ByteBuffer.allocate(head.length + body.length)
                .put(head)
                .put(body)
                .flip();
        while (all.hasRemaining()) {
            channel.write(all);
        }
    }

    /// Up to the end of the answer that its Content-Length announces, or of the connection.
    private byte[] read(SocketChannel channel) throws IOException, CniException {
        var received = new ByteArrayOutputStream();
        var buffer = ByteBuffer.allocate(4096);
        while (channel.read(buffer) >= 0) {
            received.write(buffer.array(), 0, buffer.position());
            buffer.clear();
            if (received.size() > MAX_ANSWER) {
                throw notHttp("an answer of more than " + MAX_ANSWER + " bytes");
            }
            if (complete(received.toString(StandardCharsets.UTF_8))) {
                break;
            }
        }
        return received.toByteArray();
    }

    private static boolean complete(String text) {
        var end = text.indexOf("\r\n\r\n");
        var length = end < 0 ? -1 : contentLength(text.substring(0, end));
        return length >= 0 && text.substring(end + 4).getBytes(StandardCharsets.UTF_8).length >= length;
    }

    private Answer parse(byte[] bytes) throws CniException {
        var text = new String(bytes, StandardCharsets.UTF_8);
        var end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            throw text.isEmpty() ? notHttp("nothing") : notHttp("half an answer");
        }
        var head = text.substring(0, end);
        var body = text.substring(end + 4);
        if (contentLength(head) == -2) {
            throw notHttp("an answer of no length");
        }
        if (contentLength(head) > body.getBytes(StandardCharsets.UTF_8).length) {
            throw notHttp("half an answer");
        }
        return new Answer(status(head), body.strip());
    }

    private int status(String head) throws CniException {
        if (head.startsWith("HTTP/1.") && head.length() >= 12 && (head + " ").charAt(12) <= ' ') {
            try {
                return Integer.parseInt(head, 9, 12, 10);
            } catch (NumberFormatException e) {
                // told below
            }
        }
        throw notHttp("something that is not HTTP");
    }

    /// -1 if the head does not say, -2 if it says something else than a length.
    private static int contentLength(String head) {
        for (var line : head.split("\r\n", -1)) {
            var colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).toLowerCase(Locale.ROOT).equals("content-length")) {
                return length(line.substring(colon + 1).strip());
            }
        }
        return -1;
    }

    private static int length(String text) {
        try {
            var length = Integer.parseInt(text);
            return length < 0 ? -2 : length;
        } catch (NumberFormatException e) {
            return -2;
        }
    }

    private CniException notHttp(String what) {
        return new CniException(Code.TRY_AGAIN, "the agent at " + socket + " sent " + what, NEXT);
    }
}
