package dev.culvert.proxy.telemetry;

import dev.culvert.hbone.headers.Baggage;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import org.jspecify.annotations.Nullable;

/// Who talks to whom, as metrics and the access log name them.
/// @param mutualTls whether the connection is (to be) mutually authenticated
public record Traffic(
        Reporter reporter,
        Source source,
        @Nullable Workload destination,
        @Nullable Service service,
        boolean mutualTls) {

    public enum Reporter {
        SOURCE("source"),
        DESTINATION("destination");

        private final String label;

        Reporter(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    /// @param workload if known by address
    /// @param baggage used where the workload is unknown here
    public record Source(
            @Nullable Workload workload,
            Baggage baggage,
            @Nullable SpiffeId identity) {}
}
