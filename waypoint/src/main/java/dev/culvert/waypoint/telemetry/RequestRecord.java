package dev.culvert.waypoint.telemetry;

import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.RequestView;
import dev.culvert.waypoint.trace.RequestTrace;
import dev.culvert.waypoint.trace.Tracing;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is known of one request, or of one connection without HTTP, for its metrics and its one line of
/// log. Confined to its loop.
public final class RequestRecord {
    private static final long REPORT_NANOS = 5_000_000_000L;

    private final To to;
    private final ServiceTelemetry telemetry;
    private final RequestMetrics metrics;
    private final Caller caller;
    private final @Nullable Workload client;
    private @Nullable Service service;
    private final long startNanos = System.nanoTime();

    private String protocol = "http";
    private String method = "-";
    private String path = "-";
    private String route = "-";
    private String flags = "-";
    private String details = "-";
    private String policy = "";
    private String told = "";
    private String grpcStatus = "";
    private int status;
    private int tries;
    private long received;
    private long sent;
    private long receivedHeaders;
    private long sentHeaders;
    private long triedNanos;
    private long upstreamNanos = -1;
    private long wholeNanos = -1;
    private long begunNanos = -1;
    private @Nullable HttpHeaders answerHeaders;
    private @Nullable HttpHeaders trailers;
    private @Nullable RequestView request;
    private String version = "";
    private @Nullable Endpoint endpoint;
    private ClusterSpec.@Nullable Key cluster;
    private RequestMetrics.@Nullable Connection connection;
    private long reportedNanos;
    private @Nullable Messages messages;
    private RequestTrace trace = RequestTrace.NONE;
    private boolean ended;

    /// Where records go, the same for all.
    public record To(RequestMetrics metrics, AccessFormat format, Tracing tracing) {}

    /// @param client null for a caller that the mesh does not know
    /// @param service null for none
    public record Of(
            Caller caller,
            @Nullable Workload client,
            @Nullable Service service,
            ServiceTelemetry telemetry) {}

    public RequestRecord(To to, Of of) {
        this.to = to;
        this.metrics = to.metrics;
        this.telemetry = of.telemetry;
        this.caller = of.caller;
        this.client = of.client;
        this.service = of.service;
    }

    /// @param newVersion as the protocol calls itself, such as `HTTP/1.1`
    public void request(String newMethod, String newPath, String newVersion) {
        method = newMethod;
        path = newPath;
        version = newVersion;
    }

    /// @param read what was read of the request; asked at the end
    public void understood(RequestView read, boolean grpc) {
        request = read;
        trace = to.tracing.begin(read::header, telemetry.spans());
        messages = grpc ? new Messages() : null;
        protocol = grpc ? "grpc" : "http";
    }

    public void tcp() {
        protocol = "tcp";
    }

    public void route(String name) {
        route = name;
    }

    /// Which it is for, if that comes out later.
    public void service(@Nullable Service found) {
        service = found;
    }

    public void tried(Endpoint to, ClusterSpec.Key of) {
        endpoint = to;
        cluster = of;
        triedNanos = System.nanoTime();
        tries++;
        if (trace.isSampled()) {
            trace.tried(SpanTags.ofTry(Addresses.text(to.address()), name(of), to.workload()));
        }
    }

    /// The upstream has begun to answer.
    public void viaUpstream() {
        upstreamNanos = System.nanoTime() - triedNanos;
        if (details.equals("-")) {
            details = "via_upstream";
        }
    }

    /// @param headers of the answer; asked at the end
    public void answered(int code, HttpHeaders headers) {
        status = code;
        answerHeaders = headers;
        begunNanos = System.nanoTime() - startNanos;
    }

    /// @param headers behind the answer; asked at the end
    public void trailers(HttpHeaders headers) {
        trailers = headers;
    }

    /// All of the request has come.
    public void requestWhole() {
        wholeNanos = System.nanoTime() - startNanos;
    }

    /// The request's part of its trace.
    public RequestTrace trace() {
        return trace;
    }

    public void grpcStatus(String code) {
        grpcStatus = code;
    }

    /// What audits and dry runs say.
    public void told(List<L7Policies.Told> all) {
        for (var one : all) {
            metrics.told(one.policy(), one.what());
            told = (told.isEmpty() ? "" : told + ",") + one.policy() + "=" + one.what();
        }
    }

    /// @param name of the policies that decided; empty if none did
    public void denied(String name) {
        policy = name;
        metrics.denied(name);
    }

    /// @param more flags, beside those that there are; `-` for none
    public void flag(String more, String newDetails) {
        flags = flags.equals("-") ? more : more.equals("-") ? flags : flags + "," + more;
        details = newDetails;
    }

    /// @param bytes of the request's header, as far as it can be told
    public void receivedHeader(long bytes) {
        receivedHeaders += bytes;
    }

    public void sentHeader(long bytes) {
        sentHeaders += bytes;
    }

    public void received(int bytes) {
        received += bytes;
    }

    /// @param data a piece of a body, left as it is
    public void received(ByteBuf data) {
        received += data.readableBytes();
        if (messages != null) {
            messages.received.read(data);
        }
    }

    public void sent(int bytes) {
        sent += bytes;
    }

    /// @param data a piece of a body, left as it is
    public void sent(ByteBuf data) {
        sent += data.readableBytes();
        if (messages != null) {
            messages.sent.read(data);
        }
    }

    /// Of what may be under way for long, a connection without HTTP or a call of gRPC: what has come and gone is
    /// counted every 5 s.
    public void tick() {
        var now = System.nanoTime();
        if (ended || now - reportedNanos < REPORT_NANOS) {
            return;
        }
        reportedNanos = now;
        if (protocol.equals("tcp")) {
            connection().moved(received, sent);
        } else if (messages != null) {
            messages.report(metrics, key());
        }
    }

    /// Whether [#tick] should be called now and then.
    public boolean isCountedUnderWay() {
        return messages != null && !ended;
    }

    private static final class Messages {
        final MessageCount received = new MessageCount();
        final MessageCount sent = new MessageCount();
        private long reportedReceived;
        private long reportedSent;

        void report(RequestMetrics to, RequestMetrics.Key key) {
            to.messages(key, received.count() - reportedReceived, sent.count() - reportedSent);
            reportedReceived = received.count();
            reportedSent = sent.count();
        }
    }

    private RequestMetrics.Connection connection() {
        if (connection == null) {
            connection = metrics.opened(key());
        }
        return connection;
    }

    private RequestMetrics.Key key() {
        var destination = endpoint == null ? null : endpoint.workload();
        return new RequestMetrics.Key(
                client,
                caller.proved(),
                destination,
                service,
                protocol,
                status,
                grpcStatus,
                flags,
                telemetry.metrics().of(() -> entry(took())));
    }

    private Duration took() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    /// At the end; again has no effect.
    public void end() {
        if (ended) {
            return;
        }
        ended = true;
        var took = took();
        if (protocol.equals("tcp")) {
            connection().moved(received, sent);
            metrics.closed(key());
        } else {
            metrics.ended(key(), took, received + receivedHeaders, sent + sentHeaders);
            if (messages != null) {
                messages.report(metrics, key());
            }
        }
        if (!trace.isSampled() && !telemetry.isLogged(to.format)) {
            return;
        }
        var entry = entry(took);
        telemetry.logs().forEach(log -> log.write(to.format, entry));
        if (trace.isSampled()) {
            var port = caller.dialled().getPort();
            var tags = SpanTags.ofRequest(entry);
            tags.putAll(trace.custom(name -> entry.headers().first(AccessEntry.Of.REQUEST, name)));
            trace.end(
                    service == null ? "pod:" + port : service.hostname() + ":" + port + "/*",
                    status,
                    flags.equals("-") ? "" : flags + " " + details,
                    tags);
        }
    }

    private AccessEntry entry(Duration took) {
        return new AccessEntry(
                Instant.now().minus(took),
                took,
                requestEntry(),
                new AccessEntry.Answer(
                        status, flags, details, grpcStatus, sent, sentHeaders, begunNanos, upstreamNanos),
                endpoint == null || cluster == null
                        ? AccessEntry.Upstream.NONE
                        : new AccessEntry.Upstream(endpoint.text(), name(cluster), tries),
                new AccessEntry.Peers(
                        Addresses.text(caller.dialled()),
                        Addresses.text(caller.source()),
                        caller.proved(),
                        client,
                        endpoint == null ? null : endpoint.workload(),
                        service == null ? "" : service.hostname()),
                new AccessEntry.Judged(policy, told),
                this::header,
                route.equals("-") ? "" : route,
                trace.id());
    }

    private AccessEntry.Request requestEntry() {
        var http = !protocol.equals("tcp");
        return new AccessEntry.Request(
                protocol,
                http ? known(method) : "",
                http ? known(path) : "",
                request == null ? "" : request.path(),
                request == null ? "" : request.query(),
                request == null ? "http" : request.scheme(),
                request == null ? "" : request.authority(),
                version,
                received,
                receivedHeaders,
                wholeNanos);
    }

    private static String known(String text) {
        return text.equals("-") ? "" : text;
    }

    private @Nullable String header(AccessEntry.Of of, String name) {
        return switch (of) {
            case REQUEST -> {
                var values = request == null ? List.<String>of() : request.header(name);
                yield values.isEmpty() ? null : values.getFirst();
            }
            case ANSWER -> answerHeaders == null ? null : answerHeaders.get(name);
            case TRAILER -> trailers == null ? null : trailers.get(name);
        };
    }

    /// As Istio names the clusters of a waypoint.
    private String name(ClusterSpec.Key of) {
        var kind = protocol.equals("tcp") ? "tcp" : "http";
        var subset = of.subset().isEmpty() ? kind : kind + "/" + of.subset();
        return "inbound-vip|" + of.port() + "|" + subset + "|" + of.hostname();
    }
}
