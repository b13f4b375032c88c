package dev.culvert.mesh.model.telemetry;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What an expression can ask of a request. A value is a text, a whole number ([Long]), a [Boolean], a
/// [java.time.Duration] or a [Headers]; null if there is none.
public interface Attributes {
    /// @param name one of [#KNOWN]
    @Nullable
    Object value(String name);

    /// By name, in any case.
    interface Headers {
        @Nullable
        String first(String name);
    }

    enum Type {
        TEXT,
        NUMBER,
        FLAG,
        DURATION,
        HEADERS
    }

    /// Envoy's and Istio's names.
    Map<String, Type> KNOWN = Map.ofEntries(
            Map.entry("request.path", Type.TEXT),
            Map.entry("request.url_path", Type.TEXT),
            Map.entry("request.query", Type.TEXT),
            Map.entry("request.host", Type.TEXT),
            Map.entry("request.scheme", Type.TEXT),
            Map.entry("request.method", Type.TEXT),
            Map.entry("request.referer", Type.TEXT),
            Map.entry("request.useragent", Type.TEXT),
            Map.entry("request.id", Type.TEXT),
            Map.entry("request.protocol", Type.TEXT),
            Map.entry("request.headers", Type.HEADERS),
            Map.entry("request.duration", Type.DURATION),
            Map.entry("request.size", Type.NUMBER),
            Map.entry("request.total_size", Type.NUMBER),
            Map.entry("response.code", Type.NUMBER),
            Map.entry("response.code_details", Type.TEXT),
            Map.entry("response.flags", Type.NUMBER),
            Map.entry("response.grpc_status", Type.NUMBER),
            Map.entry("response.headers", Type.HEADERS),
            Map.entry("response.trailers", Type.HEADERS),
            Map.entry("response.size", Type.NUMBER),
            Map.entry("response.total_size", Type.NUMBER),
            Map.entry("connection.mtls", Type.FLAG),
            Map.entry("connection.uri_san_peer_certificate", Type.TEXT),
            Map.entry("source.address", Type.TEXT),
            Map.entry("source.port", Type.NUMBER),
            Map.entry("destination.address", Type.TEXT),
            Map.entry("destination.port", Type.NUMBER),
            Map.entry("upstream.address", Type.TEXT),
            Map.entry("upstream.port", Type.NUMBER),
            Map.entry("xds.cluster_name", Type.TEXT),
            Map.entry("xds.route_name", Type.TEXT),
            Map.entry("downstream_peer.name", Type.TEXT),
            Map.entry("downstream_peer.namespace", Type.TEXT),
            Map.entry("downstream_peer.workload", Type.TEXT),
            Map.entry("downstream_peer.cluster", Type.TEXT),
            Map.entry("downstream_peer.service", Type.TEXT),
            Map.entry("downstream_peer.revision", Type.TEXT),
            Map.entry("upstream_peer.name", Type.TEXT),
            Map.entry("upstream_peer.namespace", Type.TEXT),
            Map.entry("upstream_peer.workload", Type.TEXT),
            Map.entry("upstream_peer.cluster", Type.TEXT),
            Map.entry("upstream_peer.service", Type.TEXT),
            Map.entry("upstream_peer.revision", Type.TEXT));
}
