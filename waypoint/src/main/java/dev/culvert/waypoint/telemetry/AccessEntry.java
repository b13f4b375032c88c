package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Workload;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// What is known of one request or connection at its end; `""` is what nobody knows.
/// @param trace id of its trace
record AccessEntry(
        Instant start,
        Duration took,
        Request request,
        Answer answer,
        Upstream upstream,
        Peers peers,
        Judged judged,
        Headers headers,
        String route,
        String trace) {
    /// @param kind `http`, `grpc` or `tcp`
    /// @param path as it was asked for, with its query
    /// @param urlPath without it
    /// @param protocol as it calls itself, such as `HTTP/1.1`
    /// @param received bytes of the body
    /// @param wholeNanos until its last byte had come; negative if it never did
    record Request(
            String kind,
            String method,
            String path,
            String urlPath,
            String query,
            String scheme,
            String authority,
            String protocol,
            long received,
            long headerBytes,
            long wholeNanos) {
        boolean isHttp() {
            return !kind.equals("tcp");
        }
    }

    /// @param status 0 for no answer
    /// @param flags `-` for none
    /// @param begunNanos from the start to its head; negative if there was none
    /// @param upstreamNanos from the try to its head; negative if there was none
    record Answer(
            int status,
            String flags,
            String details,
            String grpcStatus,
            long sent,
            long headerBytes,
            long begunNanos,
            long upstreamNanos) {}

    /// Where it went.
    record Upstream(String host, String cluster, int tries) {
        static final Upstream NONE = new Upstream("", "", 0);
    }

    /// @param dialled address that the client called
    /// @param client null for one that the mesh does not know
    /// @param destination null for what went nowhere
    record Peers(
            String dialled,
            String source,
            @Nullable SpiffeId identity,
            @Nullable Workload client,
            @Nullable Workload destination,
            String service) {}

    /// @param policy by which it was refused
    /// @param told what audits and dry runs say
    record Judged(String policy, String told) {
        static final Judged NOT = new Judged("", "");
    }

    /// All headers, by name.
    interface Headers {
        Headers NONE = (_, _) -> null;

        @Nullable
        String first(Of of, String name);
    }

    enum Of {
        REQUEST,
        ANSWER,
        TRAILER
    }

    String header(Of of, String name) {
        var found = headers.first(of, name);
        return found == null ? "" : found;
    }
}
