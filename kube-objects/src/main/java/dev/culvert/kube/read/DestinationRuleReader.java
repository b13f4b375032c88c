package dev.culvert.kube.read;

import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.DestinationRule.Policies;
import dev.culvert.kube.object.DestinationRule.Subset;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.TrafficPolicy;
import dev.culvert.kube.object.TrafficPolicy.Outlier;
import dev.culvert.kube.object.TrafficPolicy.Pool;
import dev.culvert.kube.object.TrafficPolicy.RetryBudget;
import dev.culvert.kube.object.TrafficPolicy.Tls;
import dev.culvert.kube.object.TrafficPolicy.Version;
import dev.culvert.kube.object.Visibility;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// Reads DestinationRules; balancing is read by [LoadBalancerReader].
final class DestinationRuleReader {
    private static final int MAX = Integer.MAX_VALUE;
    private static final Map<String, Version> UPGRADES =
            Map.of("DEFAULT", Version.PORT, "DO_NOT_UPGRADE", Version.PORT, "UPGRADE", Version.HTTP2);
    private static final List<String> UNUSED = List.of("proxyProtocol", "tunnel");

    private DestinationRuleReader() {}

    static DestinationRule destinationRule(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.DESTINATION_RULE);
        if (spec.has("workloadSelector")) {
            spec.warning(
                    "workloadSelector",
                    "spec.workloadSelector selects no waypoint: the rule has no effect",
                    "remove it");
        }
        Map<String, Subset> subsets = new LinkedHashMap<>();
        for (var subset : spec.children("subsets")) {
            subset.knowing(RouteFields.SUBSET);
            subsets.put(
                    subset.requiredText("name"),
                    new Subset(
                            subset.textMap("labels"),
                            subset.child("trafficPolicy")
                                    .map(DestinationRuleReader::policies)
                                    .orElse(Policies.NONE)));
        }
        return new DestinationRule(
                metadata,
                spec.has("workloadSelector") ? "" : spec.requiredText("host"),
                new Visibility(spec.texts("exportTo")),
                spec.child("trafficPolicy").map(DestinationRuleReader::policies).orElse(Policies.NONE),
                subsets,
                object.place());
    }

    private static Policies policies(Fields policy) {
        policy.knowing(RouteFields.TRAFFIC_POLICY);
        for (var field : UNUSED) {
            if (policy.has(field)) {
                VirtualServiceReader.notYet(policy, field, "it has no effect");
            }
        }
        var ports = new LinkedHashMap<Integer, TrafficPolicy>();
        for (var entry : policy.children("portLevelSettings")) {
            entry.knowing(RouteFields.PORT_POLICY);
            var port = entry.childOrEmpty("port").knowing(RouteFields.VS_PORT).integer("number", 1, 65535);
            if (port.isEmpty()) {
                entry.error("port", entry.named("port.number") + " is missing", "name a port of the Service");
            }
            port.ifPresent(number -> ports.put(number, policy(entry)));
        }
        return new Policies(policy(policy), ports);
    }

    private static TrafficPolicy policy(Fields policy) {
        return new TrafficPolicy(
                policy.child("loadBalancer").map(LoadBalancerReader::loadBalancer),
                policy.child("connectionPool").map(DestinationRuleReader::pool),
                policy.child("outlierDetection").map(DestinationRuleReader::outlier),
                policy.child("retryBudget")
                        .map(budget -> budget.knowing(RouteFields.RETRY_BUDGET))
                        .map(budget -> new RetryBudget(
                                budget.number("percent", 0, 100).orElse(20.0),
                                budget.integer("minRetryConcurrency", 0, MAX).orElse(3))),
                policy.child("tls").map(tls -> tls(policy, tls)));
    }

    private static Tls tls(Fields policy, Fields tls) {
        return switch (tls.text("mode", "DISABLE")) {
            case "DISABLE" -> Tls.DISABLE;
            case "ISTIO_MUTUAL" -> Tls.ISTIO_MUTUAL;
            default -> {
                VirtualServiceReader.notYet(
                        policy,
                        "tls",
                        "waypoints reach endpoints by HBONE, without TLS inside, and gRPC clients with xds:/// targets"
                                + " do not call them");
                yield Tls.OTHER;
            }
        };
    }

    private static Pool pool(Fields pool) {
        pool.knowing(RouteFields.POOL);
        var tcp = pool.childOrEmpty("tcp").knowing(RouteFields.TCP_POOL);
        var http = pool.childOrEmpty("http").knowing(RouteFields.HTTP_POOL);
        for (var field : List.of("tcpKeepalive", "maxConnectionDuration")) {
            if (tcp.has(field)) {
                VirtualServiceReader.notYet(tcp, field, "it has no effect");
            }
        }
        if (http.has("http2KeepAlive")) {
            VirtualServiceReader.notYet(http, "http2KeepAlive", "it has no effect");
        }
        var retries = http.integer("maxRetries", 0, MAX);
        var upgrade = http.oneOf("h2UpgradePolicy", UPGRADES).orElse(Version.PORT);
        return new Pool(
                limit(tcp, "maxConnections"),
                RuleFields.duration(tcp, "connectTimeout"),
                RuleFields.duration(http, "idleTimeout").or(() -> RuleFields.duration(tcp, "idleTimeout")),
                limit(http, "http1MaxPendingRequests"),
                limit(http, "http2MaxRequests"),
                limit(http, "maxRequestsPerConnection"),
                retries.isPresent() ? OptionalInt.of(retries.get()) : OptionalInt.empty(),
                limit(http, "maxConcurrentStreams"),
                http.flag("useClientProtocol") ? Version.CLIENT : upgrade);
    }

    private static int limit(Fields fields, String name) {
        return fields.integer(name, 0, MAX).orElse(0);
    }

    private static Outlier outlier(Fields outlier) {
        outlier.knowing(RouteFields.OUTLIER);
        if (outlier.has("outlierDetectionHttpErrorCodes")) {
            VirtualServiceReader.notYet(outlier, "outlierDetectionHttpErrorCodes", "5xx answers are counted");
        }
        var old = outlier.integer("consecutiveErrors", 0, MAX);
        if (old.isPresent()) {
            outlier.warning(
                    "consecutiveErrors",
                    outlier.named("consecutiveErrors") + " is an old field: " + old.get()
                            + " is taken for consecutive5xxErrors",
                    "write consecutive5xxErrors: " + old.get());
        }
        return new Outlier(
                outlier.integer("consecutive5xxErrors", 0, MAX).or(() -> old).orElse(5),
                limit(outlier, "consecutiveGatewayErrors"),
                outlier.flag("splitExternalLocalOriginErrors"),
                outlier.integer("consecutiveLocalOriginFailures", 0, MAX).orElse(5),
                RuleFields.duration(outlier, "interval").orElse(Duration.ofSeconds(10)),
                RuleFields.duration(outlier, "baseEjectionTime").orElse(Duration.ofSeconds(30)),
                outlier.integer("maxEjectionPercent", 0, 100).orElse(10),
                outlier.integer("minHealthPercent", 0, 100).orElse(0));
    }
}
