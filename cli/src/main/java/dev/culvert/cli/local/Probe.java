package dev.culvert.cli.local;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// How a pod is asked whether it is well, as the kubelet does: from the node, by the address that pods let
/// through.
sealed interface Probe {
    Duration TIMEOUT = Duration.ofSeconds(1);

    record Http(int port, String path) implements Probe {}

    record Tcp(int port) implements Probe {}

    record Exec(List<String> command) implements Probe {}

    /// @param kind `readinessProbe` or `livenessProbe`
    static Optional<Probe> of(KubeObject container, String kind) {
        var probe = container.at(kind);
        if (probe.fields().isEmpty()) {
            return Optional.empty();
        }
        if (!probe.at("httpGet").fields().isEmpty()) {
            return port(container, probe, "httpGet")
                    .map(port -> new Http(port, probe.text("httpGet", "path").orElse("/")));
        }
        if (!probe.at("tcpSocket").fields().isEmpty()) {
            return port(container, probe, "tcpSocket").map(Tcp::new);
        }
        var command =
                probe.list("exec", "command").stream().map(String::valueOf).toList();
        return command.isEmpty() ? Optional.empty() : Optional.of(new Exec(command));
    }

    private static Optional<Integer> port(KubeObject container, KubeObject probe, String handler) {
        return probe.text(handler, "port").flatMap(port -> number(container, port));
    }

    /// A port by number or by the container's name for it.
    static Optional<Integer> number(KubeObject container, String port) {
        if (!port.isEmpty() && port.chars().allMatch(Character::isDigit)) {
            return Optional.of(Integer.parseInt(port));
        }
        return container.objects("ports").stream()
                .filter(named -> named.text("name").orElse("").equals(port))
                .findFirst()
                .flatMap(named -> named.text("containerPort").map(Integer::parseInt));
    }

    /// Asks once. Blocks the calling platform thread for at most a second.
    default boolean passes(RunningPod pod, String node) {
        try {
            return switch (this) {
                case Http(var port, var path) -> http(pod, node, port, path);
                case Tcp(var port) -> connects(pod, node, port);
                case Exec(var command) -> succeeds(pod, command);
            };
        } catch (IOException e) {
            return false;
        }
    }

    private static Socket connect(RunningPod pod, String node, int port) throws IOException {
        try (var netns = NetworkNamespace.open(Commands.netns(node))) {
            return netns.<Socket, IOException>call(() -> {
                var socket = new Socket();
                try {
                    socket.setSoTimeout((int) TIMEOUT.toMillis());
                    socket.bind(new InetSocketAddress(Addressing.PROBE_V4, 0));
                    socket.connect(new InetSocketAddress(pod.address().v4(), port), (int) TIMEOUT.toMillis());
                    return socket;
                } catch (IOException e) {
                    socket.close();
                    throw e;
                }
            });
        }
    }

    private static boolean connects(RunningPod pod, String node, int port) throws IOException {
        try (var socket = connect(pod, node, port)) {
            return socket.isConnected();
        }
    }

    private static boolean http(RunningPod pod, String node, int port, String path) throws IOException {
        try (var socket = connect(pod, node, port)) {
            var request = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: kube-probe\r\nConnection: close\r\n\r\n"
                    .formatted(path, pod.address().v4());
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            var status = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            return status.startsWith("HTTP/1.") && (status.endsWith(" 200") || status.charAt(9) == '3');
        }
    }

    private static boolean succeeds(RunningPod pod, List<String> command) throws IOException {
        var process = pod.start(command, ProcessBuilder.Redirect.DISCARD);
        try {
            return process.waitFor(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS) && process.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            process.destroyForcibly();
        }
    }
}
