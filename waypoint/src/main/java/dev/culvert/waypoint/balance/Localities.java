package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.LocalityPolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How near an endpoint is, seen from this waypoint. Immutable.
final class Localities {
    private final LocalityPolicy policy;
    private final @Nullable Workload self;
    private final LoadBalancing ofService;

    /// @param self null if the mesh does not know us: then nothing is nearer than anything else
    /// @param ofService what the Service itself says, where the policy says nothing
    Localities(LocalityPolicy policy, @Nullable Workload self, LoadBalancing ofService) {
        this.policy = policy;
        this.self = self;
        this.ofService = ofService;
    }

    /// 0 is used first; negative: never.
    int priority(Workload endpoint) {
        if (self == null || policy.getDistributeCount() > 0) {
            return 0;
        }
        if (policy.getFailoverLabelsCount() > 0) {
            return byLabels(endpoint, self);
        }
        return policy.getNearFirst() ? byDistance(endpoint, self) : byService(endpoint, self);
    }

    private int byDistance(Workload endpoint, Workload own) {
        var here = own.place().locality();
        var there = endpoint.place().locality();
        if (!here.region().equals(there.region())) {
            return policy.getFailoverList().stream()
                            .filter(one -> one.getFrom().equals(here.region()))
                            .allMatch(one -> one.getTo().equals(there.region()))
                    ? 3
                    : 4;
        }
        if (!here.zone().equals(there.zone())) {
            return 2;
        }
        return here.subzone().equals(there.subzone()) ? 0 : 1;
    }

    /// By how many labels are the same, up to the first that is not.
    private int byLabels(Workload endpoint, Workload own) {
        var same = 0;
        for (var label : policy.getFailoverLabelsList()) {
            var equals = label.indexOf('=');
            var name = equals < 0 ? label : label.substring(0, equals);
            var wanted = equals < 0 ? label(name, own) : Optional.of(label.substring(equals + 1));
            if (wanted.isEmpty() || !wanted.equals(label(name, endpoint))) {
                break;
            }
            same++;
        }
        return policy.getFailoverLabelsCount() - same;
    }

    private static Optional<String> label(String name, Workload of) {
        var place = of.place();
        return switch (name) {
            case "topology.kubernetes.io/region" -> Optional.of(place.locality().region());
            case "topology.kubernetes.io/zone" -> Optional.of(place.locality().zone());
            case "topology.istio.io/subzone" -> Optional.of(place.locality().subzone());
            case "topology.istio.io/network" -> Optional.of(place.network());
            case "topology.istio.io/cluster" -> Optional.of(place.clusterId());
            case "kubernetes.io/hostname" -> Optional.of(place.node());
            default -> Optional.empty();
        };
    }

    private int byService(Workload endpoint, Workload own) {
        var mode = ofService.mode();
        if (mode == LoadBalancing.Mode.STANDARD || mode == LoadBalancing.Mode.PASSTHROUGH) {
            return 0;
        }
        var same = 0;
        for (var scope : ofService.routingPreferences()) {
            if (!of(scope, endpoint).equals(of(scope, own))) {
                break;
            }
            same++;
        }
        var missing = ofService.routingPreferences().size() - same;
        return mode == LoadBalancing.Mode.STRICT && missing > 0 ? -1 : missing;
    }

    private static String of(LoadBalancing.Scope scope, Workload workload) {
        var place = workload.place();
        return switch (scope) {
            case REGION -> place.locality().region();
            case ZONE -> place.locality().zone();
            case SUBZONE -> place.locality().subzone();
            case NODE -> place.node();
            case CLUSTER -> place.clusterId();
            case NETWORK -> place.network();
        };
    }

    // ---- shares ----

    /// Shares by pattern of a locality, the narrowest pattern first; empty if there is none for where we are.
    Map<String, Integer> shares() {
        if (self == null) {
            return Map.of();
        }
        var here = self.place().locality();
        for (var distribute : policy.getDistributeList()) {
            if (covers(distribute.getFrom(), here)) {
                var sorted = new LinkedHashMap<String, Integer>();
                distribute.getToMap().entrySet().stream()
                        .sorted((one, other) -> Integer.compare(narrowness(other.getKey()), narrowness(one.getKey())))
                        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
                return sorted;
            }
        }
        return Map.of();
    }

    private static int narrowness(String pattern) {
        return pattern.replace("*", "").length();
    }

    /// Of `region/zone/subzone`, less of it, or `*` for a part.
    static boolean covers(String pattern, Locality locality) {
        var parts = pattern.split("/", -1);
        var all = List.of(locality.region(), locality.zone(), locality.subzone());
        for (var i = 0; i < parts.length && i < all.size(); i++) {
            if (!parts[i].equals("*") && !parts[i].equals(all.get(i))) {
                return false;
            }
        }
        return parts.length <= all.size();
    }
}
