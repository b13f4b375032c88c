package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// How the endpoints of a host are used, block by block; a block that is empty has its defaults.
public record TrafficPolicy(
        Optional<LoadBalancer> loadBalancer,
        Optional<Pool> pool,
        Optional<Outlier> outlier,
        Optional<RetryBudget> retryBudget,
        Optional<Tls> tls) {
    public static final TrafficPolicy NONE =
            new TrafficPolicy(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /// This one's blocks, and the other's where this one has none.
    public TrafficPolicy over(TrafficPolicy other) {
        return new TrafficPolicy(
                loadBalancer.or(other::loadBalancer),
                pool.or(other::pool),
                outlier.or(other::outlier),
                retryBudget.or(other::retryBudget),
                tls.or(other::tls));
    }

    /// Whether callers that use no waypoint speak TLS to the endpoints themselves.
    public enum Tls {
        DISABLE,
        /// With the identities of the mesh, both ways.
        ISTIO_MUTUAL,
        /// As another mode says, which nobody here can.
        OTHER
    }

    /// How an endpoint is chosen.
    public enum Algorithm {
        LEAST_REQUEST,
        ROUND_ROBIN,
        RANDOM,
        RING_HASH,
        MAGLEV
    }

    /// @param hash what of a request is hashed
    /// @param tableSize 0 for the default
    public record LoadBalancer(
            Algorithm algorithm,
            Optional<HashKey> hash,
            int tableSize,
            Optional<Warmup> warmup,
            Optional<LocalitySetting> locality) {}

    public sealed interface HashKey {
        record Header(String name) implements HashKey {}

        /// @param ttl if there is one, the cookie is made where it is missing; zero: for the session
        record Cookie(String name, String path, Optional<Duration> ttl) implements HashKey {}

        record SourceIp() implements HashKey {}

        record QueryParameter(String name) implements HashKey {}
    }

    /// @param minimumPercent of the share with which an endpoint begins
    public record Warmup(Duration duration, double minimumPercent, double aggression) {}

    /// @param failover regions: from which to which
    /// @param distribute localities: from which, to which and how much
    /// @param labels of topology, in order of weight
    public record LocalitySetting(
            boolean enabled,
            Map<String, String> failover,
            Map<String, Map<String, Integer>> distribute,
            List<String> labels) {
        public LocalitySetting {
            failover = Map.copyOf(failover);
            distribute = Map.copyOf(distribute);
            labels = List.copyOf(labels);
        }
    }

    /// Which HTTP endpoints are spoken to.
    public enum Version {
        PORT,
        HTTP1,
        HTTP2,
        CLIENT
    }

    /// 0 means no limit.
    public record Pool(
            int maxConnections,
            Optional<Duration> connectTimeout,
            Optional<Duration> idle,
            int maxPending,
            int maxRequests,
            int maxRequestsPerConnection,
            OptionalInt maxRetries,
            int maxStreams,
            Version version) {}

    /// 0 turns a counter off.
    public record Outlier(
            int consecutive5xx,
            int consecutiveGatewayErrors,
            boolean splitLocal,
            int consecutiveLocal,
            Duration interval,
            Duration baseEjection,
            int maxPercent,
            int minHealthPercent) {}

    public record RetryBudget(double percent, int minConcurrency) {}
}
