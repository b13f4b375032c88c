package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.telemetry.Attributes;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.waypoint.telemetry.AccessEntry.Of;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What expressions can ask of an entry.
/// @param entry at its end, or as far as it has come
record RequestAttributes(AccessEntry entry) implements Attributes {
    /// By their bits.
    private static final List<String> FLAGS = List.of(
            "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX", "SI",
            "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF");

    @Override
    public @Nullable Object value(String name) {
        var dot = name.indexOf('.');
        var field = name.substring(dot + 1);
        return switch (name.substring(0, Math.max(0, dot))) {
            case "request" -> entry.request().isHttp() ? request(field) : null;
            case "response" -> entry.request().isHttp() ? response(field) : null;
            case "connection" -> connection(field);
            case "source" -> address(entry.peers().source(), field);
            case "destination" -> address(entry.peers().dialled(), field);
            case "upstream" -> address(entry.upstream().host(), field);
            case "xds" ->
                known(
                        field.equals("route_name")
                                ? entry.route()
                                : entry.upstream().cluster());
            case "downstream_peer" -> peer(entry.peers().client(), field);
            case "upstream_peer" -> peer(entry.peers().destination(), field);
            default -> null;
        };
    }

    private static @Nullable Object known(String text) {
        return text.isEmpty() ? null : text;
    }

    private @Nullable Object request(String field) {
        var request = entry.request();
        return switch (field) {
            case "path" -> request.path();
            case "url_path" -> request.urlPath();
            case "query" -> request.query();
            case "host" -> known(request.authority());
            case "scheme" -> known(request.scheme());
            case "method" -> request.method();
            case "referer" -> header(Of.REQUEST, "referer");
            case "useragent" -> header(Of.REQUEST, "user-agent");
            case "id" -> header(Of.REQUEST, "x-request-id");
            case "protocol" -> known(request.protocol());
            case "headers" -> (Headers) header -> header(Of.REQUEST, header);
            case "duration" -> entry.took();
            case "size" -> request.received();
            case "total_size" -> request.received() + request.headerBytes();
            default -> null;
        };
    }

    private @Nullable String header(Of of, String name) {
        return entry.headers().first(of, name);
    }

    private @Nullable Object response(String field) {
        var answer = entry.answer();
        return switch (field) {
            case "code" -> answer.status() == 0 ? null : (Object) (long) answer.status();
            case "code_details" -> answer.details().equals("-") ? null : answer.details();
            case "flags" -> flags(answer.flags());
            case "grpc_status" -> Operators.grpcNumber(entry);
            case "headers" -> (Headers) header -> header(Of.ANSWER, header);
            case "trailers" -> (Headers) header -> header(Of.TRAILER, header);
            case "size" -> answer.sent();
            case "total_size" -> answer.sent() + answer.headerBytes();
            default -> null;
        };
    }

    private static long flags(String flags) {
        var bits = 0L;
        for (var flag : flags.split(",", -1)) {
            var at = FLAGS.indexOf(flag);
            bits |= at < 0 ? 0 : 1L << at;
        }
        return bits;
    }

    private @Nullable Object connection(String field) {
        var who = entry.peers().identity();
        return field.equals("mtls") ? (Object) (who != null) : who == null ? null : who.toString();
    }

    private static @Nullable Object address(String address, String field) {
        return field.equals("port") ? Operators.port(address) : known(address);
    }

    private static @Nullable Object peer(@Nullable Workload workload, String field) {
        if (workload == null) {
            return null;
        }
        return known(
                switch (field) {
                    case "name" -> workload.name();
                    case "namespace" -> workload.namespace();
                    case "workload" -> workload.names().workloadName();
                    case "cluster" -> workload.place().clusterId();
                    case "service" -> workload.names().canonicalName();
                    case "revision" -> workload.names().canonicalRevision();
                    default -> "";
                });
    }
}
