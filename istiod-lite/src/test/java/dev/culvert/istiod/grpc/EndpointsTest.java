package dev.culvert.istiod.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.culvert.protos.envoy.ClusterLoadAssignment;
import dev.culvert.protos.envoy.HealthStatus;
import dev.culvert.protos.envoy.Locality;
import dev.culvert.protos.waypoint.LocalityPolicy;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Places, priorities and weights of endpoints.
class EndpointsTest {
    private static final String SERVICE = "quay/berth.quay.svc.cluster.local";
    private static final ClusterName NAME = new ClusterName(80, "", "berth.quay.svc.cluster.local");
    private static final Viewer HERE = new Viewer(
            "quay",
            "",
            "node-1",
            Locality.newBuilder().setRegion("r1").setZone("z1").setSubZone("s1").build());

    /// One of each place; two of the last.
    private static final List<Workload> WORKLOADS = List.of(
            workload(1, "r1", "z1", "s1", "node-1"),
            workload(2, "r1", "z1", "s2", "node-2"),
            workload(3, "r1", "z2", "s1", "node-3"),
            workload(4, "r2", "z1", "s1", "node-4"),
            workload(5, "r3", "z1", "s1", "node-5"),
            workload(6, "r3", "z1", "s1", "node-6"));

    private static Workload workload(int number, String region, String zone, String subzone, String node) {
        var text = """
                uid: "w%d" node: "%s" addresses: "\\177\\000\\010\\%03o"
                locality { region: "%s" zone: "%s" subzone: "%s" }
                services { key: "%s" value { ports { service_port: 80 target_port: 8080 } } }
                """.formatted(number, node, number, region, zone, subzone, SERVICE);
        try {
            return TextFormat.parse(text, Workload.class);
        } catch (TextFormat.ParseException e) {
            throw new IllegalStateException(text, e);
        }
    }

    private static ClusterLoadAssignment assignment(
            LocalityPolicy policy, LoadBalancing balancing, Viewer viewer, List<Workload> workloads) {
        var closeness = new Closeness(policy, balancing, viewer, Workload.getDefaultInstance());
        return new Endpoints(SERVICE, 80, false, closeness).assignment(NAME, workloads);
    }

    /// `priority:weight(last bytes of addresses)` of each place.
    private static String told(ClusterLoadAssignment assignment) {
        return assignment.getEndpointsList().stream()
                .map(place -> place.getPriority() + ":"
                        + place.getLoadBalancingWeight().getValue()
                        + place.getLbEndpointsList().stream()
                                .map(endpoint -> endpoint.getEndpoint()
                                        .getAddress()
                                        .getSocketAddress()
                                        .getAddress()
                                        .substring("127.0.8.".length()))
                                .collect(Collectors.joining(",", "(", ")")))
                .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                                   |                                            | 0:1(1) 0:1(2) 0:1(3) 0:1(4) 0:2(5,6)",
                "near_first: true                                   |                                            | 0:1(1) 1:1(2) 2:1(3) 3:1(4) 3:2(5,6)",
                "near_first: true failover { from: 'r1' to: 'r3' }  |                                            | 0:1(1) 1:1(2) 2:1(3) 3:2(5,6) 4:1(4)",
                "failover_labels: 'topology.kubernetes.io/region'   |                                            | 0:1(1) 0:1(2) 0:1(3) 1:1(4) 1:2(5,6)",
                "distribute { from: 'r1/*' to { key: 'r1' value: 70 } to { key: 'r3' value: 30 } } | | 0:23333(1) 0:23333(2) 0:23333(3) 0:30000(5,6)",
                "                                                   | mode: STRICT routing_preference: NODE      | 0:1(1)",
                "                                                   | mode: FAILOVER routing_preference: REGION routing_preference: ZONE | 0:1(1) 0:1(2) 1:1(3) 2:1(4) 2:2(5,6)",
            })
    void endpointsAreOrderedAsSomebodyWrote(@Nullable String policy, @Nullable String balancing, String expected)
            throws Exception {
        var assignment = assignment(
                TextFormat.parse(policy == null ? "" : policy, LocalityPolicy.class),
                TextFormat.parse(balancing == null ? "" : balancing, LoadBalancing.class),
                HERE,
                WORKLOADS);
        assertThat(told(assignment)).isEqualTo(expected);
    }

    @Test
    void withoutAPlaceNothingIsNear() {
        var near = LocalityPolicy.newBuilder().setNearFirst(true).build();
        var assignment = assignment(near, LoadBalancing.getDefaultInstance(), Viewer.of("quay"), WORKLOADS);
        assertThat(told(assignment)).isEqualTo("0:1(1) 0:1(2) 0:1(3) 0:1(4) 0:2(5,6)");
    }

    @Test
    void prioritiesHaveNoGapsWhereAllOfAPlaceAreUnready() {
        var near = LocalityPolicy.newBuilder().setNearFirst(true).build();
        var workloads = new ArrayList<>(WORKLOADS);
        workloads.replaceAll(one -> List.of("w1", "w3", "w6").contains(one.getUid())
                ? one.toBuilder().setStatus(WorkloadStatus.UNHEALTHY).build()
                : one);
        var assignment = assignment(near, LoadBalancing.getDefaultInstance(), HERE, workloads);
        assertThat(told(assignment)).isEqualTo("0:1(2) 1:1(4) 1:1(5,6)");
        assertThat(assignment.getEndpoints(2).getLbEndpoints(1).getHealthStatus())
                .isEqualTo(HealthStatus.UNHEALTHY);
    }

    @Test
    void anEndpointWithoutThePortIsNone() {
        var closeness = new Closeness(
                LocalityPolicy.getDefaultInstance(),
                LoadBalancing.getDefaultInstance(),
                HERE,
                Workload.getDefaultInstance());
        assertThat(new Endpoints(SERVICE, 81, false, closeness)
                        .assignment(NAME, WORKLOADS)
                        .getEndpointsCount())
                .isZero();
    }
}
