package dev.culvert.istiod.grpc;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import dev.culvert.protos.envoy.RetryPolicy;
import dev.culvert.protos.envoy.RouteAction;
import dev.culvert.protos.envoy.WeightedCluster;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Retry;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// Where the calls of a route go: clusters by weight, time-out, retries, and what of a call chooses the endpoint.
final class Forwarding {
    /// What a client can try again.
    private static final Set<String> STATUSES =
            Set.of("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable");
    private static final java.time.Duration DEFAULT_BACKOFF = java.time.Duration.ofMillis(25);
    private static final int BACKOFF_GROWTH = 10;

    private final String route;
    private final Findings findings;
    private final Predicate<ClusterName> refused;

    /// @param refused clusters that must not be called
    Forwarding(String route, Findings findings, Predicate<ClusterName> refused) {
        this.route = route;
        this.findings = findings;
        this.refused = refused;
    }

    /// Empty if calls fail.
    Optional<RouteAction> action(Forward forward) {
        if (forward.getRewrite().hasFull()
                || forward.getRewrite().hasPrefix()
                || forward.getRewrite().hasRegex()) {
            findings.add(
                    "route " + route + " changes the path, which they cannot; its calls fail",
                    "call the other method in the application");
            return Optional.empty();
        }
        var used = forward.getBackendsList().stream()
                .filter(backend -> backend.getWeight() != 0)
                .toList();
        if (used.stream().allMatch(backend -> backend.getBrokenStatus() != 0)) {
            return Optional.empty();
        }
        var to = RouteAction.newBuilder();
        if (used.size() == 1) {
            to.setCluster(cluster(used.getFirst()));
        } else {
            to.setWeightedClusters(weighted(used));
        }
        if (forward.hasTimeout()) {
            to.setMaxStreamDuration(RouteAction.MaxStreamDuration.newBuilder()
                    .setMaxStreamDuration(forward.getTimeout())
                    .setGrpcTimeoutHeaderMax(forward.getTimeout()));
        }
        retry(forward.getRetry()).ifPresent(to::setRetryPolicy);
        hash(forward, used.getFirst()).ifPresent(to::addHashPolicy);
        return Optional.of(to.build());
    }

    private WeightedCluster weighted(Iterable<Backend> backends) {
        var to = WeightedCluster.newBuilder();
        var total = 0;
        for (var backend : backends) {
            to.addClusters(WeightedCluster.ClusterWeight.newBuilder()
                    .setName(cluster(backend))
                    .setWeight(UInt32Value.of(backend.getWeight())));
            total += backend.getWeight();
        }
        return to.setTotalWeight(UInt32Value.of(total)).build();
    }

    private String cluster(Backend backend) {
        var name = new ClusterName(backend.getPort(), backend.getSubset().getName(), backend.getHostname());
        if (backend.getBrokenStatus() != 0) {
            return ClusterName.NOWHERE;
        }
        if (refused.test(name)) {
            findings.add(
                    "they cannot speak the TLS that a DestinationRule asks for; calls of " + name.hostname() + " fail",
                    "write mode ISTIO_MUTUAL or DISABLE");
            return ClusterName.NOWHERE;
        }
        return name.toString();
    }

    private Optional<RetryPolicy> retry(Retry retry) {
        if (retry.getAttempts() == 0) {
            return Optional.empty();
        }
        if (retry.hasPerTryTimeout()) {
            findings.add("route " + route + ": a try has no time-out of its own", "write a time-out of the whole call");
        }
        var statuses =
                retry.getConditionsList().stream().filter(STATUSES::contains).toList();
        if (statuses.isEmpty()) {
            findings.add(
                    "route " + route + ": none of its conditions of retries is a status of gRPC; they do not try again",
                    "add one of " + String.join(", ", STATUSES.stream().sorted().toList()) + " to retryOn");
            return Optional.empty();
        }
        var base = nanos(retry.getBackoff()) > 0 ? nanos(retry.getBackoff()) : DEFAULT_BACKOFF.toNanos();
        return Optional.of(RetryPolicy.newBuilder()
                .setRetryOn(String.join(",", statuses))
                .setNumRetries(UInt32Value.of(retry.getAttempts()))
                .setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder()
                        .setBaseInterval(duration(base))
                        .setMaxInterval(duration(base * BACKOFF_GROWTH)))
                .build());
    }

    private static long nanos(Duration duration) {
        return TimeUnit.SECONDS.toNanos(duration.getSeconds()) + duration.getNanos();
    }

    private static Duration duration(long nanos) {
        var second = TimeUnit.SECONDS.toNanos(1);
        return Duration.newBuilder()
                .setSeconds(nanos / second)
                .setNanos((int) (nanos % second))
                .build();
    }

    private Optional<RouteAction.HashPolicy> hash(Forward forward, Backend first) {
        if (forward.getSticky()) {
            findings.add("route " + route + ": they know no sessions", "choose the endpoint by a header");
            return Optional.empty();
        }
        return Clusters.hashHeader(first.getTraffic().getLoadBalancer())
                .map(header -> RouteAction.HashPolicy.newBuilder()
                        .setHeader(RouteAction.HashPolicy.Header.newBuilder().setHeaderName(header))
                        .build());
    }
}
