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
        Party source,
        Party destination,
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

    /// One side of a connection.
    /// @param workload if known by address
    /// @param baggage used where the workload is unknown here
    public record Party(
            @Nullable Workload workload,
            Baggage baggage,
            @Nullable SpiffeId identity) {
        public static final Party UNKNOWN = new Party(null, Baggage.NONE, null);

        public static Party of(@Nullable Workload workload) {
            return workload == null ? UNKNOWN : new Party(workload, Baggage.NONE, workload.identity());
        }

        private String known(String ofWorkload, String inBaggage) {
            return workload == null ? baggage.get(inBaggage) : ofWorkload;
        }

        String name() {
            return known(workload == null ? "" : workload.name(), "service.name");
        }

        String namespace() {
            return known(workload == null ? "" : workload.namespace(), "k8s.namespace.name");
        }

        String cluster() {
            return known(workload == null ? "" : workload.place().clusterId(), "k8s.cluster.name");
        }
    }
}
