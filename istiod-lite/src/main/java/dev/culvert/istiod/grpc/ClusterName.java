package dev.culvert.istiod.grpc;

import java.util.Optional;

/// Names of clusters, of their endpoints and of route configurations, as Istio writes them:
/// `outbound|PORT|SUBSET|HOST`.
///
/// @param subset empty for the whole Service
record ClusterName(int port, String subset, String hostname) {
    /// A cluster without endpoints: calls that are led to it fail at once.
    static final String NOWHERE = "BlackHoleCluster";

    private static final String OUTBOUND = "outbound";
    private static final int PARTS = 4;

    static Optional<ClusterName> parse(String text) {
        var parts = text.split("\\|", -1);
        if (parts.length != PARTS || !parts[0].equals(OUTBOUND)) {
            return Optional.empty();
        }
        return Ports.parse(parts[1]).map(port -> new ClusterName(port, parts[2], parts[3]));
    }

    @Override
    public String toString() {
        return String.join("|", OUTBOUND, Integer.toString(port), subset, hostname);
    }
}
