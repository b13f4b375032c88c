package dev.culvert.istiod.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.UInt64Value;
import dev.culvert.protos.envoy.CertificateProviderPluginInstance;
import dev.culvert.protos.envoy.CertificateValidationContext;
import dev.culvert.protos.envoy.CircuitBreakers;
import dev.culvert.protos.envoy.Cluster;
import dev.culvert.protos.envoy.CommonTlsContext;
import dev.culvert.protos.envoy.StringMatcher;
import dev.culvert.protos.envoy.TransportSocket;
import dev.culvert.protos.envoy.UpstreamTlsContext;
import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.LoadBalancer;
import dev.culvert.protos.waypoint.TrafficPolicy;
import java.util.Collection;
import java.util.Optional;

/// How a client uses the endpoints of a Service or of a subset.
final class Clusters {
    private static final String TLS = "envoy.transport_sockets.tls";
    /// What the bootstrap file calls the certificates of the mesh.
    private static final CertificateProviderPluginInstance MESH_CERTIFICATES =
            CertificateProviderPluginInstance.newBuilder()
                    .setInstanceName("default")
                    .build();

    private final Findings findings;

    Clusters(Findings findings) {
        this.findings = findings;
    }

    static Cluster nowhere() {
        return of(ClusterName.NOWHERE).build();
    }

    private static Cluster.Builder of(String name) {
        return Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder()
                        .setEdsConfig(Listeners.ADS)
                        .setServiceName(name));
    }

    /// @param mutual whether it speaks TLS itself
    /// @param identities that endpoints may have then
    Cluster cluster(ClusterName name, TrafficPolicy traffic, boolean mutual, Collection<String> identities) {
        unsupported(traffic);
        var to = of(name.toString());
        balancing(traffic.getLoadBalancer(), to);
        if (traffic.getPool().getMaxRequests() > 0) {
            to.setCircuitBreakers(CircuitBreakers.newBuilder()
                    .addThresholds(CircuitBreakers.Thresholds.newBuilder()
                            .setMaxRequests(UInt32Value.of(traffic.getPool().getMaxRequests()))));
        }
        if (mutual) {
            to.setTransportSocket(mutual(identities));
        }
        return to.build();
    }

    /// The header that chooses the endpoint.
    static Optional<String> hashHeader(LoadBalancer balancer) {
        var hashes =
                balancer.getKind() == LoadBalancer.Kind.RING_HASH || balancer.getKind() == LoadBalancer.Kind.MAGLEV;
        return hashes && balancer.getHash().hasHeader()
                ? Optional.of(balancer.getHash().getHeader())
                : Optional.empty();
    }

    private void balancing(LoadBalancer balancer, Cluster.Builder to) {
        if (hashHeader(balancer).isPresent()) {
            to.setLbPolicy(Cluster.LbPolicy.RING_HASH);
            if (balancer.getKind() == LoadBalancer.Kind.RING_HASH && balancer.getTableSize() > 0) {
                to.setRingHashLbConfig(Cluster.RingHashLbConfig.newBuilder()
                        .setMinimumRingSize(UInt64Value.of(balancer.getTableSize())));
            }
            return;
        }
        to.setLbPolicy(Cluster.LbPolicy.ROUND_ROBIN);
        if (balancer.hasHash()) {
            findings.add(
                    "they hash headers only; endpoints are called in turn",
                    "hash a header: loadBalancer.consistentHash.httpHeaderName");
        }
    }

    /// What is left out, and opens nothing.
    private void unsupported(TrafficPolicy traffic) {
        var pool = traffic.getPool();
        if (!pool.equals(ConnectionPool.newBuilder()
                .setMaxRequests(pool.getMaxRequests())
                .build())) {
            findings.add("of connectionPool they obey http2MaxRequests only", "limit the rest at the server");
        }
        if (traffic.hasOutlier()) {
            findings.add(
                    "they leave no endpoint alone for errors in a row (outlierDetection)",
                    "have the readiness of the pods tell that they fail");
        }
        if (traffic.getLoadBalancer().hasWarmup()) {
            findings.add("new endpoints get their full share at once", "remove warmup, or use a waypoint");
        }
    }

    private static TransportSocket mutual(Collection<String> identities) {
        var check = CertificateValidationContext.newBuilder().setCaCertificateProviderInstance(MESH_CERTIFICATES);
        identities.forEach(identity ->
                check.addMatchSubjectAltNames(StringMatcher.newBuilder().setExact(identity)));
        var certificates = certificates().toBuilder().setValidationContext(check);
        return tls(UpstreamTlsContext.newBuilder()
                .setCommonTlsContext(certificates)
                .build());
    }

    /// Those of the mesh, ours and whom to trust.
    static CommonTlsContext certificates() {
        return CommonTlsContext.newBuilder()
                .setTlsCertificateProviderInstance(MESH_CERTIFICATES)
                .setValidationContext(
                        CertificateValidationContext.newBuilder().setCaCertificateProviderInstance(MESH_CERTIFICATES))
                .build();
    }

    static TransportSocket tls(Message context) {
        return TransportSocket.newBuilder()
                .setName(TLS)
                .setTypedConfig(Any.pack(context))
                .build();
    }
}
