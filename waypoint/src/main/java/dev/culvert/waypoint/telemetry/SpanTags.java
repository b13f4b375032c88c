package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.workload.Workload;
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

    static Map<String, String> ofRequest(AccessEntry said) {
        var request = said.request();
        var answer = said.answer();
        var peers = said.peers();
        var tags = new LinkedHashMap<String, String>();
        tags.put("component", "proxy");
        tags.put("http.method", request.method());
        var url = request.scheme() + "://" + request.authority() + request.path();
        tags.put("http.url", url.length() > MAX_URL ? url.substring(0, MAX_URL) : url);
        tags.put("http.protocol", request.protocol());
        tags.put("http.status_code", Integer.toString(answer.status()));
        tags.put("request_size", Long.toString(request.received()));
        tags.put("response_size", Long.toString(answer.sent()));
        tags.put("response_flags", answer.flags());
        tags.put("user_agent", said.header(AccessEntry.Of.REQUEST, "user-agent"));
        tags.put("guid:x-request-id", said.header(AccessEntry.Of.REQUEST, "x-request-id"));
        tags.put("upstream_cluster", said.upstream().cluster());
        tags.put("upstream_cluster.name", said.upstream().cluster());
        tags.put("peer.address", peers.source());
        tags.put("grpc.status_code", answer.grpcStatus());
        tags.put("istio.destination_service", peers.service());
        of(tags, "istio.source_", peers.client());
        of(tags, "istio.destination_", peers.destination());
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
