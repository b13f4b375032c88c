package dev.culvert.cni;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// An agent that answers as a test tells it to.
final class ScriptedAgent implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final Behaviour behaviour;
    private final List<SocketChannel> open = new CopyOnWriteArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();

    /// What it does with a connection.
    enum Behaviour {
        YES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        YES_WITHOUT_LENGTH("HTTP/1.1 200 OK\r\n\r\n"),
        YES_OLD("HTTP/1.0 200 OK\r\n\r\n"),
        BAD_PAYLOAD("HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\nno such netns\n"),
        NOT_FOUND("HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n"),
        FAILURE("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 22\r\n\r\nno ztunnel connection\n"),
        BUSY("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
        HANGS_UP(""),
        HALF_HEAD("HTTP/1.1 200 OK\r\nContent-Le"),
        HALF_BODY("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        NOT_HTTP("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        NO_STATUS("HTTP/1.1 fine\r\n\r\n"),
        REDIRECT("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
        NO_CONTENT("HTTP/1.1 204 No Content\r\n\r\n"),
        FORBIDDEN("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        LINE_FEEDS("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        LONG_STATUS("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
        WORD_LENGTH("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
        NEGATIVE_LENGTH("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
        YES_AND_MORE("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore"),
        HUGE("HTTP/1.1 500 No\r\n\r\n" + "x".repeat(1 << 17)),
        HUGE_HEAD("HTTP/1.1 200 OK\r\nX: " + "x".repeat(1 << 17)),
        CONTROL_CHARACTERS("HTTP/1.1 500 No\r\n\r\n\u0000\u001b[31m\"}\u0007"),
        /// It is not there.
        ABSENT(""),
        /// Something else is where its socket belongs.
        FILE(""),
        FOLDER(""),
        DANGLING(""),
        /// It was there.
        STALE(""),
        SILENT(""),
        HALF_THEN_SILENT("HTTP/1.1 200 OK\r\n");

        final String answer;

        Behaviour(String answer) {
            this.answer = answer;
        }
    }

    ScriptedAgent(Path socket, Behaviour behaviour) throws IOException {
        this.behaviour = behaviour;
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        if (behaviour == Behaviour.FILE) {
            Files.writeString(socket, "not a socket");
        } else if (behaviour == Behaviour.FOLDER) {
            Files.createDirectory(socket);
        } else if (behaviour == Behaviour.DANGLING) {
            Files.createSymbolicLink(socket, Path.of("/nowhere/pluginevent.sock"));
        } else if (behaviour != Behaviour.ABSENT) {
            listener.bind(UnixDomainSocketAddress.of(socket));
            if (behaviour == Behaviour.STALE) {
                listener.close();
            } else {
                Thread.ofPlatform().daemon().start(this::acceptAll);
            }
        }
    }

    private void acceptAll() {
        try {
            while (true) {
                var channel = listener.accept();
                open.add(channel);
                Thread.ofPlatform().daemon().start(() -> serve(channel));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(SocketChannel channel) {
        try {
            requests.add(read(channel));
            if (behaviour == Behaviour.SILENT) {
                return;
            }
            var bytes = ByteBuffer.wrap(behaviour.answer.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            if (behaviour != Behaviour.HALF_THEN_SILENT) {
                channel.close();
            }
        } catch (IOException e) {
            // the plugin has gone
        }
    }

    private static String read(SocketChannel channel) throws IOException {
        var text = new StringBuilder();
        var buffer = ByteBuffer.allocate(1 << 16);
        while (!complete(text.toString())) {
            if (channel.read(buffer.clear()) < 0) {
                break;
            }
            text.append(StandardCharsets.UTF_8.decode(buffer.flip()));
        }
        return text.toString();
    }

    private static boolean complete(String text) {
        var end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            return false;
        }
        var mark = "Content-Length: ";
        var at = text.indexOf(mark) + mark.length();
        return text.length() - end - 4 >= Integer.parseInt(text.substring(at, text.indexOf("\r\n", at)));
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (var channel : open) {
            channel.close();
        }
    }
}
