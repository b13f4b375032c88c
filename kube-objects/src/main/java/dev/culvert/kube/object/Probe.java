package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;

/// How to find out whether a container is well.
public record Probe(Check check, Duration initialDelay, Duration period, Duration timeout, int failureThreshold) {
    /// What a probe does.
    public sealed interface Check {
        /// @param host empty for the pod itself
        record Http(String host, PortRef port, String path, boolean tls) implements Check {}

        /// @param host empty for the pod itself
        record Tcp(String host, PortRef port) implements Check {}

        record Exec(List<String> command) implements Check {
            public Exec {
                command = List.copyOf(command);
            }
        }

        /// One that we read but cannot do.
        record Grpc(int port) implements Check {}
    }
}
