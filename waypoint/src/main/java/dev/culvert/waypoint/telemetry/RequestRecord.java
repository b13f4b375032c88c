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
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is known of one request, or of one connection without HTTP, for its metrics and its one line of
/// log. Confined to its loop.
public final class RequestRecord {
    private static final Logger LOG = LoggerFactory.getLogger("access");
    private static final int SHOWN = 256;
    private static final long REPORT_NANOS = 5_000_000_000L;

    private final RequestMetrics metrics;
    private final AccessFormat format;
    private final Tracing tracing;
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

    public RequestRecord(To to, Caller caller, @Nullable Workload client, @Nullable Service service) {
        this.metrics = to.metrics;
        this.format = to.format;
        this.tracing = to.tracing;
        this.caller = caller;
        this.client = client;
        this.service = service;
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
        trace = tracing.begin(read::header);
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

    public void answered(int code) {
        status = code;
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
                client, caller.proved(), destination, service, protocol, status, grpcStatus, flags);
    }

    /// At the end; again has no effect.
    public void end() {
        if (ended) {
            return;
        }
        ended = true;
        var took = Duration.ofNanos(System.nanoTime() - startNanos);
        if (protocol.equals("tcp")) {
            connection().moved(received, sent);
            metrics.closed(key());
        } else {
            metrics.ended(key(), took, received + receivedHeaders, sent + sentHeaders);
            if (messages != null) {
                messages.report(metrics, key());
            }
        }
        switch (format) {
            case FIELDS -> line(took);
            case TEXT, JSON -> AccessLines.write(format, entry(took));
            case OFF -> {}
        }
        if (trace.isSampled()) {
            var port = caller.dialled().getPort();
            trace.end(
                    service == null ? "pod:" + port : service.hostname() + ":" + port + "/*",
                    status,
                    flags.equals("-") ? "" : flags + " " + details,
                    SpanTags.ofRequest(
                            entry(took),
                            request == null ? "http" : request.scheme(),
                            grpcStatus,
                            client,
                            service,
                            endpoint));
        }
    }

    private void line(Duration took) {
        if (!LOG.isInfoEnabled()) {
            return;
        }
        var line = LOG.atInfo()
                .addKeyValue("src.addr", Addresses.text(caller.source()))
                .addKeyValue("src.identity", caller.shown())
                .addKeyValue("dst.addr", Addresses.text(caller.dialled()))
                .addKeyValue("dst.service", service == null ? "-" : service.hostname())
                .addKeyValue(
                        "dst.workload",
                        endpoint == null ? "-" : endpoint.workload().name())
                .addKeyValue("protocol", protocol)
                .addKeyValue("method", method)
                .addKeyValue("path", path.length() > SHOWN ? path.substring(0, SHOWN) + "…" : path)
                .addKeyValue("route", route)
                .addKeyValue("status", status)
                .addKeyValue("flags", flags)
                .addKeyValue("details", details)
                .addKeyValue("tries", tries)
                .addKeyValue("bytes_received", received)
                .addKeyValue("bytes_sent", sent)
                .addKeyValue("duration", took.toMillis() + "ms");
        var judged = policy.isEmpty() ? line : line.addKeyValue("policy", policy);
        (told.isEmpty() ? judged : judged.addKeyValue("told", told)).log("request complete");
    }

    private AccessEntry entry(Duration took) {
        var http = !protocol.equals("tcp");
        return new AccessEntry(
                Instant.now().minus(took),
                http ? method : "",
                http ? path : "",
                version,
                status,
                flags,
                details.equals("-") ? "" : details.replace(' ', '_'),
                received,
                sent,
                took.toMillis(),
                upstreamNanos < 0 ? -1 : TimeUnit.NANOSECONDS.toMillis(upstreamNanos),
                headers(),
                endpoint == null || cluster == null
                        ? AccessEntry.Upstream.NONE
                        : new AccessEntry.Upstream(endpoint.text(), name(cluster)),
                Addresses.text(caller.dialled()),
                Addresses.text(caller.source()),
                route.equals("-") ? "" : route);
    }

    private AccessEntry.Headers headers() {
        return request == null
                ? AccessEntry.Headers.NONE
                : new AccessEntry.Headers(
                        first("x-forwarded-for"), first("user-agent"), first("x-request-id"), request.authority());
    }

    private String first(String header) {
        var values = request == null ? List.<String>of() : request.header(header);
        return values.isEmpty() ? "" : values.getFirst();
    }

    /// As Istio names the clusters of a waypoint.
    private String name(ClusterSpec.Key of) {
        var kind = protocol.equals("tcp") ? "tcp" : "http";
        var subset = of.subset().isEmpty() ? kind : kind + "/" + of.subset();
        return "inbound-vip|" + of.port() + "|" + subset + "|" + of.hostname();
    }
}
