package dev.culvert.istiod.waypoint;

import dev.culvert.kube.object.TrafficPolicy;
import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.Cookie;
import dev.culvert.protos.waypoint.HashKey;
import dev.culvert.protos.waypoint.LoadBalancer;
import dev.culvert.protos.waypoint.LocalityPolicy;
import dev.culvert.protos.waypoint.OutlierDetection;
import dev.culvert.protos.waypoint.RetryBudget;

/// Turns a traffic policy into what a waypoint reads.
final class TrafficTranslation {
    private TrafficTranslation() {}

    static dev.culvert.protos.waypoint.TrafficPolicy translate(TrafficPolicy policy) {
        var to = dev.culvert.protos.waypoint.TrafficPolicy.newBuilder();
        // Failover needs somebody who notices that endpoints fail.
        var failover = policy.outlier().isPresent();
        policy.loadBalancer().ifPresent(balancer -> to.setLoadBalancer(balancer(balancer, failover)));
        if (policy.loadBalancer().flatMap(TrafficPolicy.LoadBalancer::locality).isEmpty() && failover) {
            to.getLoadBalancerBuilder().setLocality(LocalityPolicy.newBuilder().setNearFirst(true));
        }
        policy.pool().ifPresent(pool -> to.setPool(pool(pool)));
        policy.outlier().ifPresent(outlier -> to.setOutlier(outlier(outlier)));
        policy.retryBudget()
                .ifPresent(budget -> to.setRetryBudget(RetryBudget.newBuilder()
                        .setPercent(budget.percent())
                        .setMinConcurrency(budget.minConcurrency())));
        return to.build();
    }

    private static LoadBalancer balancer(TrafficPolicy.LoadBalancer balancer, boolean failover) {
        var to = LoadBalancer.newBuilder()
                .setKind(
                        switch (balancer.algorithm()) {
                            case LEAST_REQUEST -> LoadBalancer.Kind.LEAST_REQUEST;
                            case ROUND_ROBIN -> LoadBalancer.Kind.ROUND_ROBIN;
                            case RANDOM -> LoadBalancer.Kind.RANDOM;
                            case RING_HASH -> LoadBalancer.Kind.RING_HASH;
                            case MAGLEV -> LoadBalancer.Kind.MAGLEV;
                        })
                .setTableSize(balancer.tableSize());
        balancer.hash().ifPresent(key -> to.setHash(key(key)));
        balancer.warmup()
                .ifPresent(warmup -> to.setWarmup(RuleTranslation.duration(warmup.duration()))
                        .setWarmupMinimum(warmup.minimumPercent())
                        .setWarmupAggression(warmup.aggression()));
        balancer.locality()
                .filter(TrafficPolicy.LocalitySetting::enabled)
                .ifPresent(locality -> to.setLocality(locality(locality, failover)));
        return to.build();
    }

    private static HashKey key(TrafficPolicy.HashKey key) {
        var to = HashKey.newBuilder();
        switch (key) {
            case TrafficPolicy.HashKey.Header(var name) -> to.setHeader(name);
            case TrafficPolicy.HashKey.QueryParameter(var name) -> to.setQueryParameter(name);
            case TrafficPolicy.HashKey.SourceIp() -> to.setSourceIp(true);
            case TrafficPolicy.HashKey.Cookie(var name, var path, var ttl) -> {
                var cookie = Cookie.newBuilder().setName(name).setPath(path);
                ttl.ifPresent(time -> cookie.setTtl(RuleTranslation.duration(time)));
                to.setCookie(cookie);
            }
        }
        return to.build();
    }

    private static LocalityPolicy locality(TrafficPolicy.LocalitySetting locality, boolean failover) {
        var to = LocalityPolicy.newBuilder();
        locality.distribute()
                .forEach((from, shares) -> to.addDistribute(
                        LocalityPolicy.Distribute.newBuilder().setFrom(from).putAllTo(shares)));
        if (failover && locality.distribute().isEmpty()) {
            to.setNearFirst(true).addAllFailoverLabels(locality.labels());
            locality.failover()
                    .forEach((from, region) -> to.addFailover(
                            LocalityPolicy.Failover.newBuilder().setFrom(from).setTo(region)));
        }
        return to.build();
    }

    private static ConnectionPool pool(TrafficPolicy.Pool pool) {
        var to = ConnectionPool.newBuilder()
                .setMaxConnections(pool.maxConnections())
                .setMaxPending(pool.maxPending())
                .setMaxRequests(pool.maxRequests())
                .setMaxRequestsPerConnection(pool.maxRequestsPerConnection())
                .setMaxStreams(pool.maxStreams())
                .setVersion(
                        switch (pool.version()) {
                            case PORT -> ConnectionPool.Version.PORT;
                            case HTTP1 -> ConnectionPool.Version.HTTP1;
                            case HTTP2 -> ConnectionPool.Version.HTTP2;
                            case CLIENT -> ConnectionPool.Version.CLIENT;
                        });
        pool.maxRetries().ifPresent(to::setMaxRetries);
        pool.connectTimeout().ifPresent(time -> to.setConnectTimeout(RuleTranslation.duration(time)));
        pool.idle().ifPresent(time -> to.setIdle(RuleTranslation.duration(time)));
        return to.build();
    }

    private static OutlierDetection outlier(TrafficPolicy.Outlier outlier) {
        return OutlierDetection.newBuilder()
                .setConsecutive5Xx(outlier.consecutive5xx())
                .setConsecutiveGatewayErrors(outlier.consecutiveGatewayErrors())
                .setSplitLocal(outlier.splitLocal())
                .setConsecutiveLocalFailures(outlier.consecutiveLocal())
                .setInterval(RuleTranslation.duration(outlier.interval()))
                .setBaseEjection(RuleTranslation.duration(outlier.baseEjection()))
                .setMaxEjectionPercent(outlier.maxPercent())
                .setMinHealthPercent(outlier.minHealthPercent())
                .build();
    }
}
