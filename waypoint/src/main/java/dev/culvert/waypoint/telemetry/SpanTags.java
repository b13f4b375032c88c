package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.waypoint.balance.Endpoint;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a span says of a request, in Envoy's and Istio's words; `""` is what nobody knows, and is not sent.
final class SpanTags {
    private static final int MAX_URL = 256;

    private SpanTags() {}

    static Map<String, String> ofTry(String address, String cluster, Workload destination) {
        var tags = new LinkedHashMap<String, String>();
        tags.put("component", "proxy");
        tags.put("upstream_address", address);
        tags.put("peer.address", address);
        tags.put("upstream_cluster", cluster);
        tags.put("upstream_cluster.name", cluster);
        tags.put("istio.destination_workload", destination.names().workloadName());
        return tags;
    }

    /// @param client null for a caller that the mesh does not know
    /// @param endpoint null for what went nowhere
    static Map<String, String> ofRequest(
            AccessEntry said,
            String scheme,
            String grpcStatus,
            @Nullable Workload client,
            @Nullable Service service,
            @Nullable Endpoint endpoint) {
        var tags = new LinkedHashMap<String, String>();
        tags.put("component", "proxy");
        tags.put("http.method", said.method());
        var url = scheme + "://" + said.headers().authority() + said.path();
        tags.put("http.url", url.length() > MAX_URL ? url.substring(0, MAX_URL) : url);
        tags.put("http.protocol", said.protocol());
        tags.put("http.status_code", Integer.toString(said.status()));
        tags.put("request_size", Long.toString(said.received()));
        tags.put("response_size", Long.toString(said.sent()));
        tags.put("response_flags", said.flags());
        tags.put("user_agent", said.headers().userAgent());
        tags.put("guid:x-request-id", said.headers().requestId());
        tags.put("upstream_cluster", said.upstream().cluster());
        tags.put("upstream_cluster.name", said.upstream().cluster());
        tags.put("peer.address", said.source());
        tags.put("grpc.status_code", grpcStatus);
        tags.put("istio.destination_service", service == null ? "" : service.hostname());
        of(tags, "istio.source_", client);
        of(tags, "istio.destination_", endpoint == null ? null : endpoint.workload());
        return tags;
    }

    private static void of(Map<String, String> tags, String prefix, @Nullable Workload workload) {
        if (workload != null) {
            tags.put(prefix + "workload", workload.names().workloadName());
            tags.put(prefix + "namespace", workload.names().namespace());
            tags.put(prefix + "cluster_id", workload.place().clusterId());
            tags.put(prefix + "canonical_service", workload.names().canonicalName());
            tags.put(prefix + "canonical_revision", workload.names().canonicalRevision());
            tags.put(prefix + "instance_name", workload.name());
        }
    }
}
