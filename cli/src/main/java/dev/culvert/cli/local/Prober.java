package dev.culvert.cli.local;

import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.Probe;
import dev.culvert.kube.object.Probe.Check.Exec;
import dev.culvert.kube.object.Probe.Check.Grpc;
import dev.culvert.kube.object.Probe.Check.Http;
import dev.culvert.kube.object.Probe.Check.Tcp;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Asks a pod whether it is well, as the kubelet does: from the node, whose rules let it through. A
/// `grpc` probe, which it cannot do, passes.
final class Prober {
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private Prober() {}

    /// Asks once. Blocks the calling platform thread for at most a second.
    static boolean passes(Container container, Probe.Check check, RunningPod pod) {
        try {
            return switch (check) {
                case Http http -> {
                    var number = container.number(http.port());
                    yield number.isEmpty()
                            || (http.tls() ? connects(pod, number.get()) : http(pod, number.get(), http.path()));
                }
                case Tcp tcp -> {
                    var number = container.number(tcp.port());
                    yield number.isEmpty() || connects(pod, number.get());
                }
                case Exec(var command) -> command.isEmpty() || succeeds(pod, command);
                case Grpc _ -> true;
            };
        } catch (IOException e) {
            return false;
        }
    }

    private static Socket connect(RunningPod pod, int port) throws IOException {
        try (var netns = NetworkNamespace.open(Commands.netns(pod.place().node()))) {
            return netns.<Socket, IOException>call(() -> {
                var socket = new Socket();
                try {
                    socket.setSoTimeout((int) TIMEOUT.toMillis());
                    socket.connect(new InetSocketAddress(pod.address().v4(), port), (int) TIMEOUT.toMillis());
                    return socket;
                } catch (IOException e) {
                    socket.close();
                    throw e;
                }
            });
        }
    }

    private static boolean connects(RunningPod pod, int port) throws IOException {
        try (var socket = connect(pod, port)) {
            return socket.isConnected();
        }
    }

    private static boolean http(RunningPod pod, int port, String path) throws IOException {
        try (var socket = connect(pod, port)) {
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
