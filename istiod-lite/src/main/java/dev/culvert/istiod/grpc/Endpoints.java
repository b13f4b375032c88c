package dev.culvert.istiod.grpc;

import com.google.protobuf.UInt32Value;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.protos.envoy.Address;
import dev.culvert.protos.envoy.ClusterLoadAssignment;
import dev.culvert.protos.envoy.Endpoint;
import dev.culvert.protos.envoy.HealthStatus;
import dev.culvert.protos.envoy.LbEndpoint;
import dev.culvert.protos.envoy.Locality;
import dev.culvert.protos.envoy.LocalityLbEndpoints;
import dev.culvert.protos.envoy.SocketAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The endpoints of a cluster by place, the nearest first where that is wished. Without a wish all endpoints get
/// the same share, wherever they are. A place whose endpoints are all unready is left out.
final class Endpoints {
    private static final int IPV4_BYTES = 4;
    /// So that shares can be divided by numbers of endpoints.
    private static final int SHARE_UNIT = 1_000;

    private final String service;
    private final int port;
    private final boolean allHealthy;
    private final Closeness closeness;

    /// @param service the name by which workloads know it
    /// @param allHealthy whether endpoints that are not ready are used, too
    Endpoints(String service, int port, boolean allHealthy, Closeness closeness) {
        this.service = service;
        this.port = port;
        this.allHealthy = allHealthy;
        this.closeness = closeness;
    }

    static ClusterLoadAssignment none(String name) {
        return ClusterLoadAssignment.newBuilder().setClusterName(name).build();
    }

    private record Place(int priority, String region, String zone, String subzone) implements Comparable<Place> {
        private static final Comparator<Place> ORDER = Comparator.comparingInt(Place::priority)
                .thenComparing(Place::region)
                .thenComparing(Place::zone)
                .thenComparing(Place::subzone);

        @Override
        public int compareTo(Place other) {
            return ORDER.compare(this, other);
        }

        dev.culvert.protos.workload.Locality locality() {
            return dev.culvert.protos.workload.Locality.newBuilder()
                    .setRegion(region)
                    .setZone(zone)
                    .setSubzone(subzone)
                    .build();
        }
    }

    /// @param workloads in an order that does not change
    ClusterLoadAssignment assignment(ClusterName name, List<Workload> workloads) {
        var places = new TreeMap<Place, List<LbEndpoint>>();
        for (var workload : workloads) {
            var endpoint = endpoint(workload);
            var priority = closeness.priority(workload);
            if (endpoint.isPresent() && priority.isPresent()) {
                var at = workload.getLocality();
                var place = new Place(priority.get(), at.getRegion(), at.getZone(), at.getSubzone());
                places.computeIfAbsent(place, _ -> new ArrayList<>()).add(endpoint.get());
            }
        }
        places.values().removeIf(endpoints -> weight(endpoints) == 0);
        return assignment(name, places, weights(places));
    }

    /// Priorities have no gaps: of those that are there, the first is 0.
    private static ClusterLoadAssignment assignment(
            ClusterName name, Map<Place, List<LbEndpoint>> places, Map<Place, Integer> weights) {
        var to = ClusterLoadAssignment.newBuilder().setClusterName(name.toString());
        var priorities =
                weights.keySet().stream().map(Place::priority).distinct().toList();
        weights.forEach((place, weight) -> to.addEndpoints(LocalityLbEndpoints.newBuilder()
                .setPriority(priorities.indexOf(place.priority))
                .setLocality(Locality.newBuilder()
                        .setRegion(place.region)
                        .setZone(place.zone)
                        .setSubZone(place.subzone))
                .setLoadBalancingWeight(UInt32Value.of(weight))
                .addAllLbEndpoints(places.getOrDefault(place, List.of()))));
        return to.build();
    }

    /// By the shares that somebody wrote, and within each by numbers of endpoints; a place without a share is not
    /// used.
    private Map<Place, Integer> weights(Map<Place, List<LbEndpoint>> places) {
        var weights = new TreeMap<Place, Integer>();
        var shares = closeness.shares();
        if (shares.isEmpty()) {
            places.forEach((place, endpoints) -> weights.put(place, weight(endpoints)));
            return weights;
        }
        var left = new TreeMap<>(places);
        shares.forEach((pattern, share) -> {
            var covered = left.keySet().stream()
                    .filter(place -> Closeness.covers(pattern, place.locality()))
                    .toList();
            var total = covered.stream()
                    .mapToLong(place -> weight(places.getOrDefault(place, List.of())))
                    .sum();
            for (var place : covered) {
                var part = (long) share * SHARE_UNIT * weight(places.getOrDefault(place, List.of())) / total;
                if (part > 0) {
                    weights.put(place, (int) part);
                }
                left.remove(place);
            }
        });
        return weights;
    }

    private static int weight(List<LbEndpoint> endpoints) {
        return endpoints.stream()
                .filter(endpoint -> endpoint.getHealthStatus() == HealthStatus.HEALTHY)
                .mapToInt(endpoint -> endpoint.getLoadBalancingWeight().getValue())
                .sum();
    }

    /// Empty if it has no address, or not this port.
    private Optional<LbEndpoint> endpoint(Workload workload) {
        var target = workload
                .getServicesOrDefault(service, dev.culvert.protos.workload.PortList.getDefaultInstance())
                .getPortsList()
                .stream()
                .filter(one -> one.getServicePort() == port && one.getTargetPort() != 0)
                .mapToInt(Port::getTargetPort)
                .findFirst();
        var address = workload.getAddressesList().stream()
                .min(Comparator.comparing(bytes -> bytes.size() != IPV4_BYTES))
                .map(bytes -> Addresses.text(Addresses.ofBytes(bytes.toByteArray())));
        if (target.isEmpty() || address.isEmpty()) {
            return Optional.empty();
        }
        var healthy = allHealthy || workload.getStatus() == WorkloadStatus.HEALTHY;
        var capacity = workload.hasCapacity() ? workload.getCapacity() : UInt32Value.of(1);
        return Optional.of(LbEndpoint.newBuilder()
                .setEndpoint(Endpoint.newBuilder()
                        .setAddress(Address.newBuilder()
                                .setSocketAddress(SocketAddress.newBuilder()
                                        .setAddress(address.get())
                                        .setPortValue(target.getAsInt()))))
                .setHealthStatus(healthy ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY)
                .setLoadBalancingWeight(capacity)
                .build());
    }
}
