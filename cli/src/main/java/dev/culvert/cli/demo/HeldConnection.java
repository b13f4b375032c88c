package dev.culvert.cli.demo;

import dev.culvert.cli.local.SupervisorClient;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// One connection that a pod keeps open and busy (`culvert app hold`), watched from here. Its thread ends
/// with the mesh.
final class HeldConnection {
    private volatile long alive;
    private volatile Optional<String> end = Optional.empty();
    private final StringBuilder rest = new StringBuilder();

    /// Opens it.
    static HeldConnection open(SupervisorClient client, String pod, String target) {
        var held = new HeldConnection();
        Thread.ofPlatform().daemon().name("held-" + pod).start(() -> held.run(client, pod, target));
        return held;
    }

    private void run(SupervisorClient client, String pod, String target) {
        try {
            client.exec(pod, List.of("culvert", "app", "hold", target), this::output);
        } catch (IOException e) {
            end = Optional.of("ended: " + e.getMessage());
        }
    }

    private void output(String text) {
        rest.append(text);
        for (var newline = rest.indexOf("\n"); newline >= 0; newline = rest.indexOf("\n")) {
            line(rest.substring(0, newline));
            rest.delete(0, newline + 1);
        }
    }

    private void line(String line) {
        if (line.startsWith("alive ")) {
            alive = Long.parseLong(line.substring(6));
        } else if (line.startsWith("cut ")) {
            end = Optional.of(line);
        }
    }

    /// How many lines went there and back.
    long alive() {
        return alive;
    }

    /// How it ended, if it did.
    Optional<String> end() {
        return end;
    }
}
