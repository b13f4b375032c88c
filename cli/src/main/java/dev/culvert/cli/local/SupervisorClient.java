package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// Asks the supervisor of a running mesh; each question is a connection of its own. Thread-safe.
public final class SupervisorClient {
    private final Path socket;
    private final ObjectMapper json = new ObjectMapper();

    public SupervisorClient(Path state) {
        this.socket = Supervisor.socket(state);
    }

    public ObjectNode request(String operation) {
        return json.createObjectNode().put("op", operation);
    }

    /// The answer's last line.
    public JsonNode ask(ObjectNode request) throws IOException {
        return ask(request, _ -> {});
    }

    private JsonNode ask(ObjectNode request, Consumer<JsonNode> partial) throws IOException {
        try (var channel = connect();
                var lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
            var line = ByteBuffer.wrap((json.writeValueAsString(request) + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                channel.write(line);
            }
            while (true) {
                var text = lines.readLine();
                if (text == null) {
                    throw new MissingException("the mesh went down while it was asked");
                }
                var answer = json.readTree(text);
                if (answer.has("error")) {
                    throw new IOException(answer.path("error").asText());
                }
                if (answer.has("ok")) {
                    return answer;
                }
                partial.accept(answer);
            }
        }
    }

    private SocketChannel connect() throws IOException {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw new MissingException(
                    "no mesh runs here (" + socket + ": " + e.getMessage() + "); start one: culvert up DIR");
        }
    }

    /// Whether a mesh runs.
    public boolean isUp() {
        try {
            status();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    public JsonNode status() throws IOException {
        return ask(request("status"));
    }

    /// A page of a ztunnel's admin port.
    /// @throws MissingException it does not answer
    public String admin(String node, String path) throws IOException {
        return page(node + "-ztunnel", 15000, path);
    }

    /// Has a page of a ztunnel's admin port do something.
    /// @throws MissingException it does not answer, or refuses
    public String adminPost(String node, String path) throws IOException {
        return page("POST", node + "-ztunnel", 15000, path);
    }

    /// A page of a program in a namespace.
    public String page(String namespace, int port, String path) throws IOException {
        return page("GET", namespace, port, path);
    }

    public String page(String method, String namespace, int port, String path) throws IOException {
        var request = request("http")
                .put("method", method)
                .put("namespace", namespace)
                .put("port", port)
                .put("path", path);
        var answer = ask(request);
        if (answer.path("status").asInt() != 200) {
            throw new MissingException("%s:%d%s answers: %s"
                    .formatted(
                            namespace,
                            port,
                            path,
                            answer.path("failure").asText(answer.path("body").asText())));
        }
        return answer.path("body").asText();
    }

    /// Runs a command in a pod; its exit code.
    public int exec(String pod, List<String> command, Consumer<String> output) throws IOException {
        var request = request("exec").put("pod", pod);
        command.forEach(request.putArray("command")::add);
        return ask(request, partial -> output.accept(partial.path("out").asText()))
                .path("exit")
                .asInt();
    }
}
