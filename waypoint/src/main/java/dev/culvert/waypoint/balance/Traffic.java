package dev.culvert.waypoint.balance;

import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.HashKey;
import dev.culvert.protos.waypoint.LoadBalancer;
import dev.culvert.protos.waypoint.LocalityPolicy;
import dev.culvert.protos.waypoint.OutlierDetection;
import dev.culvert.protos.waypoint.TrafficPolicy;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A traffic policy, compiled. Immutable.
/// @param hash what of a request is hashed; null unless the algorithm needs it
public record Traffic(
        LoadBalancer.Kind algorithm,
        @Nullable HashKey hash,
        int tableSize,
        Warmup warmup,
        LocalityPolicy locality,
        Pool pool,
        @Nullable Outlier outlier,
        RetryBudget retryBudget) {
    private static final int RING = 1024;
    private static final int MAGLEV = 65537;
    private static final int MAX_TABLE = 1 << 20;
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    /// Storms only: under normal load every retry is within it.
    static final RetryBudget DEFAULT_BUDGET = new RetryBudget(20, 100);

    public static final Traffic DEFAULT = of(TrafficPolicy.getDefaultInstance());

    /// @param nanos how long; 0: not at all
    /// @param minimum share with which an endpoint begins, 0 to 1
    public record Warmup(long nanos, double minimum, double aggression) {}

    /// @param maxRetries at a time; negative: as the budget says
    public record Pool(
            int maxConnections,
            int maxPending,
            int maxRequests,
            int maxRequestsPerConnection,
            int maxRetries,
            int maxStreams,
            Optional<Duration> connectTimeout,
            Optional<Duration> idle,
            ConnectionPool.Version version) {}

    public record Outlier(
            int consecutive5xx,
            int consecutiveGatewayErrors,
            boolean splitLocal,
            int consecutiveLocal,
            long intervalNanos,
            long baseNanos,
            int maxPercent,
            int minHealthPercent) {}

    /// @param percent of the requests that are under way
    public record RetryBudget(double percent, int minConcurrency) {}

    static Traffic of(TrafficPolicy policy) {
        var balancer = policy.getLoadBalancer();
        if (balancer.getKind() == LoadBalancer.Kind.UNRECOGNIZED) {
            throw new IllegalArgumentException("a load balancer of an unknown kind");
        }
        var hashed =
                balancer.getKind() == LoadBalancer.Kind.RING_HASH || balancer.getKind() == LoadBalancer.Kind.MAGLEV;
        if (hashed && balancer.getHash().getKindCase() == HashKey.KindCase.KIND_NOT_SET) {
            throw new IllegalArgumentException("a hash of an unknown kind");
        }
        var budget = policy.hasRetryBudget()
                ? new RetryBudget(
                        policy.getRetryBudget().getPercent(),
                        policy.getRetryBudget().getMinConcurrency())
                : DEFAULT_BUDGET;
        return new Traffic(
                balancer.getKind(),
                hashed ? balancer.getHash() : null,
                tableSize(balancer),
                warmup(balancer),
                balancer.getLocality(),
                pool(policy.getPool()),
                policy.hasOutlier() ? outlier(policy.getOutlier()) : null,
                budget);
    }

    private static int tableSize(LoadBalancer balancer) {
        var said = balancer.getTableSize();
        return said == 0 ? balancer.getKind() == LoadBalancer.Kind.MAGLEV ? MAGLEV : RING : Math.min(said, MAX_TABLE);
    }

    private static Warmup warmup(LoadBalancer balancer) {
        var minimum = balancer.getWarmupMinimum() / 100;
        var aggression = balancer.getWarmupAggression();
        return new Warmup(nanos(balancer.getWarmup()), minimum, aggression <= 0 ? 1 : aggression);
    }

    private static Pool pool(ConnectionPool pool) {
        if (pool.getVersion() == ConnectionPool.Version.UNRECOGNIZED) {
            throw new IllegalArgumentException("an unknown version of HTTP");
        }
        return new Pool(
                limit(pool.getMaxConnections()),
                limit(pool.getMaxPending()),
                limit(pool.getMaxRequests()),
                limit(pool.getMaxRequestsPerConnection()),
                pool.hasMaxRetries() ? pool.getMaxRetries() : -1,
                limit(pool.getMaxStreams()),
                duration(pool.hasConnectTimeout(), pool.getConnectTimeout()),
                duration(pool.hasIdle(), pool.getIdle()),
                pool.getVersion());
    }

    private static int limit(int said) {
        return said <= 0 ? NO_LIMIT : said;
    }

    private static Optional<Duration> duration(boolean present, com.google.protobuf.Duration time) {
        return present && nanos(time) > 0 ? Optional.of(Duration.ofNanos(nanos(time))) : Optional.empty();
    }

    private static Outlier outlier(OutlierDetection outlier) {
        return new Outlier(
                outlier.getConsecutive5Xx(),
                outlier.getConsecutiveGatewayErrors(),
                outlier.getSplitLocal(),
                outlier.getConsecutiveLocalFailures(),
                Math.max(1_000_000, nanos(outlier.getInterval())),
                nanos(outlier.getBaseEjection()),
                outlier.getMaxEjectionPercent(),
                outlier.getMinHealthPercent());
    }

    private static long nanos(com.google.protobuf.Duration time) {
        return Duration.ofSeconds(time.getSeconds(), time.getNanos()).toNanos();
    }
}
