package dev.culvert.istiod.grpc;

import dev.culvert.protos.waypoint.LocalityPolicy;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.Locality;
import dev.culvert.protos.workload.Workload;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// In what order a client uses endpoints, by where they are. The same words mean here what they mean to a waypoint.
final class Closeness {
    private static final int OTHER_REGION = 3;
    private static final int NOT_CHOSEN_REGION = 4;
    private static final int PARTS = 3;

    private final LocalityPolicy policy;
    private final LoadBalancing ofService;
    private final Viewer viewer;
    /// Of the place of the client.
    private final Workload here;

    /// @param ofService what the Service itself says, where the policy says nothing
    /// @param somewhere network and cluster of the client
    Closeness(LocalityPolicy policy, LoadBalancing ofService, Viewer viewer, Workload somewhere) {
        this.policy = policy;
        this.ofService = ofService;
        this.viewer = viewer;
        this.here = Workload.newBuilder()
                .setNetwork(somewhere.getNetwork())
                .setClusterId(somewhere.getClusterId())
                .setNode(viewer.node())
                .setLocality(Locality.newBuilder()
                        .setRegion(viewer.locality().getRegion())
                        .setZone(viewer.locality().getZone())
                        .setSubzone(viewer.locality().getSubZone()))
                .build();
    }

    /// Whether it matters where the client is.
    static boolean matters(LocalityPolicy policy, LoadBalancing ofService) {
        return !policy.equals(LocalityPolicy.getDefaultInstance()) || ofService.getRoutingPreferenceCount() > 0;
    }

    /// 0 is used first; empty: never.
    Optional<Integer> priority(Workload endpoint) {
        if (!viewer.hasPlace() || policy.getDistributeCount() > 0) {
            return Optional.of(0);
        }
        if (policy.getFailoverLabelsCount() > 0) {
            return Optional.of(byLabels(endpoint));
        }
        return policy.getNearFirst() ? Optional.of(byDistance(endpoint.getLocality())) : byService(endpoint);
    }

    private int byDistance(Locality there) {
        var own = here.getLocality();
        if (!own.getRegion().equals(there.getRegion())) {
            var chosen = policy.getFailoverList().stream()
                    .filter(one -> one.getFrom().equals(own.getRegion()))
                    .allMatch(one -> one.getTo().equals(there.getRegion()));
            return chosen ? OTHER_REGION : NOT_CHOSEN_REGION;
        }
        if (!own.getZone().equals(there.getZone())) {
            return 2;
        }
        return own.getSubzone().equals(there.getSubzone()) ? 0 : 1;
    }

    /// By how many labels are the same, up to the first that is not.
    private int byLabels(Workload endpoint) {
        var same = 0;
        for (var label : policy.getFailoverLabelsList()) {
            var equals = label.indexOf('=');
            var name = equals < 0 ? label : label.substring(0, equals);
            var wanted = equals < 0 ? label(name, here) : Optional.of(label.substring(equals + 1));
            if (wanted.isEmpty() || !wanted.equals(label(name, endpoint))) {
                break;
            }
            same++;
        }
        return policy.getFailoverLabelsCount() - same;
    }

    private static Optional<String> label(String name, Workload of) {
        return switch (name) {
            case "topology.kubernetes.io/region" -> Optional.of(of.getLocality().getRegion());
            case "topology.kubernetes.io/zone" -> Optional.of(of.getLocality().getZone());
            case "topology.istio.io/subzone" -> Optional.of(of.getLocality().getSubzone());
            case "topology.istio.io/network" -> Optional.of(of.getNetwork());
            case "topology.istio.io/cluster" -> Optional.of(of.getClusterId());
            case "kubernetes.io/hostname" -> Optional.of(of.getNode());
            default -> Optional.empty();
        };
    }

    private Optional<Integer> byService(Workload endpoint) {
        var same = 0;
        for (var scope : ofService.getRoutingPreferenceList()) {
            if (!of(scope, endpoint).equals(of(scope, here))) {
                break;
            }
            same++;
        }
        var missing = ofService.getRoutingPreferenceCount() - same;
        return switch (ofService.getMode()) {
            case STRICT -> missing > 0 ? Optional.empty() : Optional.of(0);
            case FAILOVER -> Optional.of(missing);
            case UNSPECIFIED_MODE, PASSTHROUGH, UNRECOGNIZED -> Optional.of(0);
        };
    }

    private static String of(LoadBalancing.Scope scope, Workload workload) {
        return switch (scope) {
            case REGION -> workload.getLocality().getRegion();
            case ZONE -> workload.getLocality().getZone();
            case SUBZONE -> workload.getLocality().getSubzone();
            case NODE -> workload.getNode();
            case CLUSTER -> workload.getClusterId();
            case NETWORK -> workload.getNetwork();
            case UNSPECIFIED_SCOPE, UNRECOGNIZED -> "";
        };
    }

    // ---- shares ----

    /// Shares by pattern of a locality, the narrowest pattern first; empty if there is none for where the client
    /// is.
    Map<String, Integer> shares() {
        var sorted = new LinkedHashMap<String, Integer>();
        if (viewer.hasPlace()) {
            policy.getDistributeList().stream()
                    .filter(one -> covers(one.getFrom(), here.getLocality()))
                    .findFirst()
                    .ifPresent(one -> one.getToMap().entrySet().stream()
                            .sorted(Comparator.comparingInt((Map.Entry<String, Integer> to) -> narrowness(to.getKey()))
                                    .reversed()
                                    .thenComparing(Map.Entry.comparingByKey()))
                            .forEach(to -> sorted.put(to.getKey(), to.getValue())));
        }
        return sorted;
    }

    private static int narrowness(String pattern) {
        return pattern.replace("*", "").length();
    }

    /// Of `region/zone/subzone`, less of it, or `*` for a part.
    static boolean covers(String pattern, Locality locality) {
        var parts = pattern.split("/", -1);
        var all = List.of(locality.getRegion(), locality.getZone(), locality.getSubzone());
        for (var i = 0; i < parts.length && i < PARTS; i++) {
            if (!parts[i].equals("*") && !parts[i].equals(all.get(i))) {
                return false;
            }
        }
        return parts.length <= PARTS;
    }
}
