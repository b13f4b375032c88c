package dev.culvert.agent.zds;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.socket.SeqPacketSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;

/// A ztunnel that says byte for byte what a test tells it to.
public final class ScriptedZtunnel implements AutoCloseable {
    private static final Duration SOON = Duration.ofSeconds(60);

    private final SeqPacketSocket socket;

    private ScriptedZtunnel(SeqPacketSocket socket) {
        this.socket = socket;
    }

    public static ScriptedZtunnel connect(Path path) throws IOException {
        return new ScriptedZtunnel(SeqPacketSocket.connect(path));
    }

    /// Connects, says hello, and acknowledges a snapshot without pods.
    public static ScriptedZtunnel connectEmpty(Path path) throws IOException {
        var ztunnel = connect(path);
        ztunnel.send("0801");
        if (!ztunnel.receive().equals("1a00")) {
            throw new IOException("the snapshot is not empty");
        }
        ztunnel.ack();
        return ztunnel;
    }

    public void send(String hex) throws IOException {
        socket.send(HexFormat.of().parseHex(hex), SOON);
    }

    public void ack() throws IOException {
        send("0a00");
    }

    public void nack(String reason) throws IOException {
        var text = HexFormat.of().formatHex(reason.getBytes(StandardCharsets.US_ASCII));
        send("0a%02x0a%02x%s".formatted(reason.length() + 2, reason.length(), text));
    }

    /// The next message in hex, without a descriptor; `end` when the agent has hung up.
    public String receive() throws IOException {
        var message = socket.receive(1024, SOON);
        if (message.isEmpty()) {
            return "end";
        }
        if (message.get().fd().isPresent()) {
            message.get().fd().get().close();
            throw new IOException("a descriptor came with "
                    + HexFormat.of().formatHex(message.get().bytes()));
        }
        return HexFormat.of().formatHex(message.get().bytes());
    }

    /// An Add with its namespace.
    public record Added(String hex, NetworkNamespace.Id netns) {}

    public Added receiveAdd() throws IOException {
        var message = socket.receive(1024, SOON).orElseThrow();
        try (var netns = NetworkNamespace.adopt(message.fd().orElseThrow())) {
            return new Added(HexFormat.of().formatHex(message.bytes()), netns.id());
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
