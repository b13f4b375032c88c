package dev.culvert.kube.read;

import dev.culvert.kube.object.TrafficPolicy.Algorithm;
import dev.culvert.kube.object.TrafficPolicy.HashKey;
import dev.culvert.kube.object.TrafficPolicy.LoadBalancer;
import dev.culvert.kube.object.TrafficPolicy.LocalitySetting;
import dev.culvert.kube.object.TrafficPolicy.Warmup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads how a DestinationRule wants endpoints to be chosen.
final class LoadBalancerReader {
    private static final int MAX_TABLE = 1 << 20;
    private static final Map<String, Algorithm> SIMPLE = Map.of(
            "UNSPECIFIED", Algorithm.LEAST_REQUEST,
            "LEAST_REQUEST", Algorithm.LEAST_REQUEST,
            "LEAST_CONN", Algorithm.LEAST_REQUEST,
            "ROUND_ROBIN", Algorithm.ROUND_ROBIN,
            "RANDOM", Algorithm.RANDOM,
            "PASSTHROUGH", Algorithm.RANDOM);
    /// What the mesh knows of a workload's place.
    private static final Set<String> TOPOLOGY = Set.of(
            "topology.kubernetes.io/region",
            "topology.kubernetes.io/zone",
            "topology.istio.io/subzone",
            "topology.istio.io/network",
            "topology.istio.io/cluster",
            "kubernetes.io/hostname");

    private LoadBalancerReader() {}

    static LoadBalancer loadBalancer(Fields balancer) {
        balancer.knowing(RouteFields.LOAD_BALANCER);
        for (var field : List.of("zoneAwareLbSetting", "backendUtilization")) {
            if (balancer.has(field)) {
                VirtualServiceReader.notYet(balancer, field, "it has no effect");
            }
        }
        var simple = balancer.text("simple", "");
        if (simple.equals("LEAST_CONN")) {
            balancer.warning("simple", "LEAST_CONN is the old name of LEAST_REQUEST", "write LEAST_REQUEST");
        } else if (simple.equals("PASSTHROUGH")) {
            balancer.warning(
                    "simple",
                    "PASSTHROUGH has no meaning at a waypoint: the address that was dialled is the Service's;"
                            + " endpoints are chosen at random",
                    "write RANDOM");
        }
        var algorithm = balancer.oneOf("simple", SIMPLE).orElse(Algorithm.LEAST_REQUEST);
        var warmup = warmup(balancer);
        var locality = balancer.child("localityLbSetting").map(LoadBalancerReader::locality);
        return balancer.child("consistentHash")
                .map(hash -> hashed(hash, locality))
                .orElseGet(() -> new LoadBalancer(algorithm, Optional.empty(), 0, warmup, locality));
    }

    private static LoadBalancer hashed(Fields hash, Optional<LocalitySetting> locality) {
        hash.knowing(RouteFields.CONSISTENT_HASH);
        var maglev = hash.child("maglev").map(one -> one.knowing(RouteFields.MAGLEV));
        var ring = hash.childOrEmpty("ringHash").knowing(RouteFields.RING);
        var keys = new ArrayList<HashKey>();
        hash.text("httpHeaderName").ifPresent(name -> keys.add(new HashKey.Header(name.toLowerCase(Locale.ROOT))));
        hash.text("httpQueryParameterName").ifPresent(name -> keys.add(new HashKey.QueryParameter(name)));
        hash.child("httpCookie").ifPresent(cookie -> keys.add(cookie(cookie)));
        if (hash.flag("useSourceIp")) {
            keys.add(new HashKey.SourceIp());
        }
        if (keys.size() != 1) {
            hash.error(
                    "httpHeaderName",
                    "a consistent hash needs exactly one key",
                    "write one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName");
        }
        var points = ring.integer("minimumRingSize", 0, MAX_TABLE)
                .or(() -> hash.integer("minimumRingSize", 0, MAX_TABLE))
                .orElse(0);
        return new LoadBalancer(
                maglev.isPresent() ? Algorithm.MAGLEV : Algorithm.RING_HASH,
                keys.stream().findFirst(),
                maglev.map(one -> one.integer("tableSize", 0, MAX_TABLE).orElse(0))
                        .orElse(points),
                Optional.empty(),
                locality);
    }

    private static HashKey.Cookie cookie(Fields cookie) {
        cookie.knowing(RouteFields.COOKIE);
        if (cookie.has("attributes")) {
            VirtualServiceReader.notYet(cookie, "attributes", "cookies are made without them");
        }
        var name = cookie.requiredText("name");
        if (!name.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]{0,256}")) {
            cookie.error("name", "\"" + name + "\" is not a cookie's name", "write letters, digits and -");
        }
        return new HashKey.Cookie(name, cookie.text("path", ""), RuleFields.duration(cookie, "ttl"));
    }

    private static Optional<Warmup> warmup(Fields balancer) {
        var old = RuleFields.duration(balancer, "warmupDurationSecs").map(time -> new Warmup(time, 10, 1));
        return balancer.child("warmup")
                .map(one -> one.knowing(RouteFields.WARMUP))
                .flatMap(one -> RuleFields.duration(one, "duration")
                        .map(time -> new Warmup(
                                time,
                                one.number("minimumPercent", 0, 100).orElse(10.0),
                                one.number("aggression", 1, 100).orElse(1.0))))
                .or(() -> old);
    }

    // ---- locality ----

    private static LocalitySetting locality(Fields setting) {
        setting.knowing(RouteFields.LOCALITY);
        var failover = new LinkedHashMap<String, String>();
        for (var entry : setting.children("failover")) {
            entry.knowing(RouteFields.FROM_TO);
            failover.put(entry.requiredText("from"), entry.requiredText("to"));
        }
        var distribute = new LinkedHashMap<String, Map<String, Integer>>();
        for (var entry : setting.children("distribute")) {
            entry.knowing(RouteFields.FROM_TO);
            distribute.put(entry.requiredText("from"), shares(entry));
        }
        var labels = setting.texts("failoverPriority");
        for (var label : labels) {
            var name = label.contains("=") ? label.substring(0, label.indexOf('=')) : label;
            if (!TOPOLOGY.contains(name)) {
                setting.warning(
                        "failoverPriority",
                        "label " + name + " is none of a place: it counts as different for all endpoints",
                        "write labels such as topology.kubernetes.io/zone");
            }
        }
        if (!distribute.isEmpty() && (!failover.isEmpty() || !labels.isEmpty())) {
            setting.error(
                    "distribute", "distribute goes with neither failover nor failoverPriority", "keep one of them");
        }
        return new LocalitySetting(!setting.has("enabled") || setting.flag("enabled"), failover, distribute, labels);
    }

    private static Map<String, Integer> shares(Fields entry) {
        var to = entry.childOrEmpty("to");
        var shares = new LinkedHashMap<String, Integer>();
        to.names().forEach(name -> to.integer(name, 1, 100).ifPresent(share -> shares.put(name, share)));
        if (shares.values().stream().mapToInt(Integer::intValue).sum() != 100) {
            entry.error("to", entry.named("to") + " must add up to 100", "correct the shares");
        }
        return shares;
    }
}
