package dev.culvert.waypoint.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.HeaderOperations;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.RouteTable;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.token.Verdict;
import dev.culvert.waypoint.upstream.Upstream;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One request and its answer: checked, allowed, routed, then forwarded or answered here; exactly one line
/// of log, whatever happens. Confined to its loop.
final class Exchange implements Live {
    private static final byte[] DENIED = "RBAC: access denied".getBytes(US_ASCII);

    private final Inner inner;
    private final Downstream downstream;
    private final RequestRecord record;
    private @Nullable RequestHead head;
    private @Nullable Forwarding forwarding;
    private final List<HttpContent> early = new ArrayList<>(1);
    private @Nullable ScheduledFuture<?> pause;
    private HeaderOperations responseHeaders = HeaderOperations.getDefaultInstance();
    private boolean answerStarted;
    private boolean answerComplete;
    private boolean over;

    Exchange(Inner inner, Downstream downstream) {
        this.inner = inner;
        this.downstream = downstream;
        this.record = inner.record();
    }

    Inner inner() {
        return inner;
    }

    Downstream downstream() {
        return downstream;
    }

    RequestRecord record() {
        return record;
    }

    void begin(HttpRequest request) {
        inner.worker().add(this);
        try {
            head = RequestHead.of(request, downstream.isHttp2(), inner.pathNormalization());
        } catch (RequestHead.BadRequestException bad) {
            record.request(request.method().name(), "-", version(request));
            if (bad.status() == 431) {
                inner.serving().metrics().limited("header_bytes");
            }
            answer(bad.status(), "DPE", String.valueOf(bad.getMessage()), new byte[0]);
            return;
        }
        record.request(head.method(), head.shown(), version(request));
        record.understood(head, head.isGrpc());
        if (record.isCountedUnderWay()) {
            inner.worker().tickLater();
        }
        record.receivedHeader(
                HeaderEdits.bytes(request.headers()) + request.uri().length());
        head.sanitise(
                inner.caller(),
                inner.serving().self().toString(),
                inner.serving().metrics()::forged);
        head.from(inner.caller(), inner.client(inner.serving().mesh().current()));
        if (inner.isMisdirected(head.authority())) {
            answer(421, "NR", "misdirected_request", new byte[0]);
            return;
        }
        new Admission(this, head).begin();
    }

    private String version(HttpRequest request) {
        return downstream.isHttp2() ? "HTTP/2" : request.protocolVersion().text();
    }

    /// Nobody has proved who calls.
    void unauthenticated(int status, String why) {
        record.flag("-", "jwt_authn_access_denied{" + why.replace(' ', '_') + "}");
        var answer = Answers.local(status, why.getBytes(US_ASCII), head);
        if (head != null) {
            answer.headers()
                    .set(
                            HttpHeaderNames.WWW_AUTHENTICATE,
                            "Bearer realm=\"http://" + head.authority()
                                    + head.path().replace("\"", "%22")
                                    + "\", error=\"invalid_token\"");
        }
        send(answer);
    }

    @Override
    public boolean tick(long nowSeconds) {
        record.tick();
        if (head == null || over || nowSeconds < head.expiresAt()) {
            return head != null && !over && (head.expiresAt() != Verdict.FOR_EVER || record.isCountedUnderWay());
        }
        if (answerStarted) {
            answerBroke("-", "jwt_authn_access_denied{Jwt_is_expired}");
        } else {
            unauthenticated(401, "Jwt is expired");
        }
        return false;
    }

    /// A policy does not let it in, or no longer.
    void denied(String details, L7Policies.Decision decision) {
        record.denied(decision.policy());
        answer(403, "-", details + "[" + decision.text() + "]", DENIED);
    }

    // ---- routing ----

    /// Of a request that may come in.
    void route(RequestHead request, RouteTable routes) {
        if (inner.pod().isPresent()) {
            record.route("pod");
            forward(request, null).start();
            return;
        }
        var chosen = routes.choose(request);
        if (chosen.isEmpty()) {
            answer(404, "NR", "route_not_found", new byte[0]);
            return;
        }
        var route = chosen.get().route();
        record.route(route.getName());
        responseHeaders = route.getResponseHeaders();
        switch (route.getActionCase()) {
            case FORWARD -> {
                HeaderEdits.apply(route.getRequestHeaders(), request.onward());
                faulty(request, chosen.get());
            }
            case REDIRECT ->
                direct(Answers.redirect(
                        route.getRedirect(),
                        request,
                        chosen.get().prefix(),
                        inner.caller().dialled().getPort()));
            case DIRECT_RESPONSE ->
                direct(Answers.local(
                        route.getDirectResponse().getStatus(),
                        route.getDirectResponse().getBody().toByteArray(),
                        request));
            case ACTION_NOT_SET -> answer(500, "NR", "no action", new byte[0]);
        }
    }

    /// Late, or not at all, for some; a delay does not save from an answer instead of the endpoint's.
    private void faulty(RequestHead request, RouteTable.Chosen chosen) {
        var fault = chosen.route().getFault();
        if (!Draw.hits(fault.getDelayShare())) {
            proceed(request, chosen, null);
            return;
        }
        record.flag("DI", "-");
        // From here on it takes the body, as far as it comes.
        var next = forward(request, chosen);
        var delay = fault.getDelay();
        pause = inner.worker()
                .loop()
                .schedule(
                        () -> proceed(request, chosen, next),
                        delay.getSeconds() * 1_000_000_000L + delay.getNanos(),
                        TimeUnit.NANOSECONDS);
    }

    /// @param begun if it has waited
    private void proceed(RequestHead request, RouteTable.Chosen chosen, @Nullable Forwarding begun) {
        if (over) {
            return;
        }
        var fault = chosen.route().getFault();
        var cors = chosen.compiled().cors();
        if (Draw.hits(fault.getAbortShare())) {
            record.flag("FI", "fault_filter_abort");
            send(Answers.fault(fault, request));
        } else if (cors != null && cors.answers(request)) {
            record.flag("-", "cors_response");
            var answer = Answers.local(200, new byte[0], null);
            cors.preflight(request).forEach(answer.headers()::set);
            send(answer);
        } else {
            (begun == null ? forward(request, chosen) : begun).start();
        }
    }

    /// @param chosen null for a pod that was called by its own address
    private Forwarding forward(RequestHead request, RouteTable.@Nullable Chosen chosen) {
        var next = new Forwarding(this, request, chosen);
        forwarding = next;
        for (var content : early) {
            next.requestContent(content);
        }
        early.clear();
        return next;
    }

    /// Whether the upstream is spoken to in HTTP/2: as it is told, else as its port says, else as the client speaks.
    boolean usesHttp2(ConnectionPool.Version told) {
        if (head != null && head.isWebSocket()) {
            return false;
        }
        return switch (told) {
            case HTTP2 -> true;
            case HTTP1 -> false;
            case CLIENT -> downstream.isHttp2();
            case PORT, UNRECOGNIZED -> usesHttp2();
        };
    }

    private boolean usesHttp2() {
        return switch (inner.port().protocol()) {
            case HTTP2 -> true;
            case HTTP1, TCP, UNRECOGNIZED -> false;
            case DETECT -> downstream.isHttp2();
        };
    }

    // ---- answers of our own ----

    void answer(int status, String flags, String details, byte[] body) {
        if (over) {
            return;
        }
        record.flag(flags, details);
        if (answerStarted) {
            downstream.abort();
            end();
        } else {
            send(Answers.local(status, body, head));
        }
    }

    /// There is too much of something.
    void overflow(String details) {
        if (over) {
            return;
        }
        record.flag("UO", details);
        if (answerStarted) {
            downstream.abort();
            end();
            return;
        }
        var answer = Answers.local(503, Answers.broken("overflow", false), head);
        answer.headers().set("x-envoy-overloaded", "true");
        send(answer);
    }

    private void direct(FullHttpResponse answer) {
        record.flag("-", "direct_response");
        send(answer);
    }

    private void send(FullHttpResponse answer) {
        record.answered(answer.status().code(), answer.headers());
        var grpc = answer.headers().get("grpc-status");
        if (grpc != null) {
            record.grpcStatus(grpc);
        }
        HeaderEdits.apply(responseHeaders, answer.headers());
        record.sent(answer.content().readableBytes());
        var keep = head != null && downstream.mayKeepAlive(head);
        if (!downstream.isHttp2()) {
            HttpUtil.setKeepAlive(answer, keep);
        }
        if (head != null && head.httpMethod().equals(HttpMethod.HEAD)) {
            answer.content().skipBytes(answer.content().readableBytes());
        }
        answerStarted = true;
        record.sentHeader(HeaderEdits.bytes(answer.headers()));
        downstream.write(answer);
        if (head == null) {
            downstream.neverKeepAlive();
        }
        end();
        downstream.answered();
    }

    // ---- the upstream's answer ----

    /// Passes on the head; what ends at a hop ends here.
    /// @param added of our own
    void answerHead(HttpResponse response, HeaderOperations backendHeaders, Map<String, String> added) {
        var headers = response.headers();
        HeaderEdits.endHops(headers);
        headers.remove("x-http2-stream-id").remove("x-http2-stream-weight");
        HeaderEdits.apply(responseHeaders, headers);
        HeaderEdits.apply(backendHeaders, headers);
        added.forEach(headers::add);
        response.setProtocolVersion(HttpVersion.HTTP_1_1);
        if (!downstream.isHttp2() && head != null) {
            frame(response, head);
        }
        record.answered(response.status().code(), headers);
        var grpc = headers.get("grpc-status");
        if (grpc != null) {
            record.grpcStatus(grpc);
        }
        answerStarted = true;
        record.viaUpstream();
        record.sentHeader(HeaderEdits.bytes(headers));
        downstream.write(response);
    }

    /// An answer without a length is sent in chunks, or to HTTP/1.0 up to the close.
    private void frame(HttpResponse response, RequestHead request) {
        var status = response.status().code();
        var empty = status == 204 || status == 304 || request.httpMethod().equals(HttpMethod.HEAD);
        var keep = downstream.mayKeepAlive(request);
        if (!empty && !HttpUtil.isContentLengthSet(response)) {
            if (request.isHttp10()) {
                response.headers().remove(HttpHeaderNames.TRANSFER_ENCODING);
                downstream.neverKeepAlive();
                keep = false;
            } else {
                response.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
            }
        }
        HttpUtil.setKeepAlive(response, keep);
    }

    void answerContent(HttpContent content) {
        record.sent(content.content());
        var last = content instanceof LastHttpContent;
        if (content instanceof LastHttpContent trailers) {
            record.trailers(trailers.trailingHeaders());
            var grpc = trailers.trailingHeaders().get("grpc-status");
            if (grpc != null) {
                record.grpcStatus(grpc);
            }
        }
        downstream.write(content);
        if (last) {
            answerWhole();
        }
    }

    /// All of the answer has been passed on.
    void answerWhole() {
        answerComplete = true;
        end();
        downstream.answered();
    }

    void answerInformational(HttpResponseStatus status) {
        if (!over && !answerStarted && head != null && !head.isHttp10()) {
            downstream.write(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.EMPTY_BUFFER));
        }
    }

    /// The upstream goes on as a WebSocket: from here on bytes pass as they are.
    void switched(HttpResponse response, Upstream to) {
        over = true;
        answerStarted = true;
        inner.worker().remove(this);
        record.viaUpstream();
        record.answered(response.status().code(), response.headers());
        var answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, response.status(), Unpooled.EMPTY_BUFFER);
        answer.headers().set(response.headers());
        HeaderEdits.apply(responseHeaders, answer.headers());
        answer.headers()
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET);
        downstream.write(answer);
        var relay = new RawRelay(inner, to.channel(), record, head);
        relay.attach();
        downstream.leave();
        to.leave();
        relay.begin();
    }

    boolean isAnswerComplete() {
        return answerComplete;
    }

    /// The answer had begun and cannot be completed.
    void answerBroke(String flags, String details) {
        record.flag(flags, details);
        downstream.abort();
        end();
    }

    boolean hasAnswerStarted() {
        return answerStarted;
    }

    boolean isOver() {
        return over;
    }

    // ---- what the downstream tells ----

    void requestContent(HttpContent content) {
        record.received(content.content());
        if (content instanceof LastHttpContent last) {
            record.requestWhole();
            if (!last.trailingHeaders().isEmpty()) {
                RequestHead.sanitiseTrailers(last.trailingHeaders());
            }
        }
        if (forwarding == null && !over && head != null) {
            early.add(content); // of a request without a body: its end, while its token is checked
        } else if (forwarding == null || over) {
            content.release();
        } else {
            forwarding.requestContent(content);
        }
    }

    void downstreamWritable() {
        if (forwarding != null && !over) {
            forwarding.downstreamWritable();
        }
    }

    void downstreamGone() {
        if (!over) {
            record.flag("DC", "downstream_remote_disconnect");
            end();
        }
    }

    @Override
    public void recheck(ServiceConfigs.Snapshot now) {
        if (head != null && !over) {
            var decision = inner.service(now).policies().decide(inner.caller(), head);
            if (!decision.allowed()) {
                denied("policy_changed", decision);
            }
        }
    }

    private void end() {
        if (!over) {
            over = true;
            inner.worker().remove(this);
            if (pause != null) {
                pause.cancel(false);
            }
            early.forEach(HttpContent::release);
            early.clear();
            if (forwarding != null) {
                forwarding.stop();
            }
            record.end();
        }
    }
}
