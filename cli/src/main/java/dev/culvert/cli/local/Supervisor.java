package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves the control socket of a running mesh: one JSON object a line is asked, and one or more are
/// answered, the last with `ok` or `error`. Each connection has a platform thread (requests enter
/// namespaces).
public final class Supervisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

    private final Path path;
    private final ServerSocketChannel server;
    private final Requests requests;
    private final ObjectMapper json = new ObjectMapper();
    private final CountDownLatch down = new CountDownLatch(1);

    private Supervisor(Path path, ServerSocketChannel server, Requests requests) {
        this.path = path;
        this.server = server;
        this.requests = requests;
    }

    /// Where the socket of a state folder is.
    public static Path socket(Path state) {
        return state.toAbsolutePath().normalize().resolve("supervisor.sock");
    }

    /// Listens; only the owner may connect.
    public static Supervisor listen(Rig rig) throws IOException {
        var path = socket(rig.config().state());
        Files.deleteIfExists(path);
        var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            server.close();
            throw e;
        }
        var supervisor = new Supervisor(path, server, new Requests(rig));
        Thread.ofPlatform().name("supervisor").daemon().start(supervisor::acceptAll);
        return supervisor;
    }

    /// Until somebody asks for `down`.
    public void awaitDown() throws InterruptedException {
        down.await();
    }

    private void acceptAll() {
        try {
            while (true) {
                var channel = server.accept();
                Thread.ofPlatform().name("supervisor-request").daemon().start(() -> serve(channel));
            }
        } catch (ClosedChannelException e) {
            LOG.debug("no more requests");
        } catch (IOException e) {
            LOG.error("no more requests are accepted: {}", e.toString());
        }
    }

    private void serve(SocketChannel channel) {
        try (channel;
                var lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                serve(channel, json.readTree(line));
            }
        } catch (IOException e) {
            LOG.debug("request ended: {}", e.toString());
        }
    }

    private void serve(SocketChannel channel, JsonNode request) throws IOException {
        var answers = new Answers(channel, json);
        try {
            if (request.path("op").asText().equals("down")) {
                down.countDown();
                answers.last(json.createObjectNode().put("ok", true));
                return;
            }
            requests.serve(request, answers);
        } catch (IOException | RuntimeException e) {
            answers.last(json.createObjectNode().put("error", String.valueOf(e.getMessage())));
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
