package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Entries for tests.
final class Entries {
    private static final Map<String, String> REQUEST = Map.of(
            "x-forwarded-for", "10.1.0.7", "user-agent", "curl/8", "x-request-id", "7f2d", "x-tide", "high water");
    private static final Map<String, String> ANSWER = Map.of("server", "quay", "x-quote", "a\" 200\n[fake");

    private Entries() {}

    /// A request that was answered by an endpoint.
    static AccessEntry answered() {
        return new AccessEntry(
                Instant.parse("2026-11-21T01:02:03.456789Z"),
                Duration.ofMillis(17),
                new AccessEntry.Request(
                        "http",
                        "GET",
                        "/tariffs?x=1",
                        "/tariffs",
                        "x=1",
                        "http",
                        "berth:8080",
                        "HTTP/1.1",
                        3,
                        120,
                        2_000_000),
                new AccessEntry.Answer(200, "-", "via upstream", "", 1042, 60, 14_000_000, 12_000_000),
                new AccessEntry.Upstream("10.1.2.3:8080", "inbound-vip|8080|http|berth.quay.svc.cluster.local", 2),
                new AccessEntry.Peers(
                        "10.96.0.4:8080",
                        "10.1.0.7:40312",
                        new SpiffeId("cluster.local", "quay", "portal"),
                        null,
                        null,
                        "berth.quay.svc.cluster.local"),
                AccessEntry.Judged.NOT,
                Entries::header,
                "default",
                "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    private static @Nullable String header(AccessEntry.Of of, String name) {
        return switch (of) {
            case REQUEST -> REQUEST.get(name.toLowerCase(Locale.ROOT));
            case ANSWER -> ANSWER.get(name.toLowerCase(Locale.ROOT));
            case TRAILER -> name.equals("grpc-message") ? "tide" : null;
        };
    }

    /// One that failed, of gRPC.
    static AccessEntry failed(String grpcStatus) {
        var all = answered();
        return new AccessEntry(
                all.start(),
                all.took(),
                all.request(),
                new AccessEntry.Answer(503, "URX,UF", "-", grpcStatus, 0, 0, -1, -1),
                AccessEntry.Upstream.NONE,
                all.peers(),
                all.judged(),
                AccessEntry.Headers.NONE,
                "",
                "");
    }

    /// A connection without HTTP that was not answered.
    static AccessEntry tcp() {
        return new AccessEntry(
                Instant.parse("2026-11-21T01:02:03.456789Z"),
                Duration.ofMillis(5),
                new AccessEntry.Request("tcp", "", "", "", "", "http", "", "", 0, 0, -1),
                new AccessEntry.Answer(0, "UF", "-", "", 0, 0, -1, -1),
                AccessEntry.Upstream.NONE,
                new AccessEntry.Peers("10.96.0.4:9000", "10.1.0.7:40312", null, null, null, ""),
                AccessEntry.Judged.NOT,
                AccessEntry.Headers.NONE,
                "",
                "");
    }
}
