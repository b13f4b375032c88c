package dev.culvert.waypoint.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.HeaderOperations;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.route.PathRewrite;
import dev.culvert.waypoint.route.RouteTable;
import dev.culvert.waypoint.telemetry.RequestRecord;
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
import java.util.Optional;
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
            head = RequestHead.of(request, downstream.isHttp2());
        } catch (RequestHead.BadRequestException bad) {
            record.request(request.method().name(), "-", false);
            if (bad.status() == 431) {
                inner.serving().metrics().limited("header_bytes");
            }
            answer(bad.status(), "DPE", String.valueOf(bad.getMessage()), new byte[0]);
            return;
        }
        record.request(head.method(), head.target(), head.isGrpc());
        head.sanitise(
                inner.caller(),
                inner.serving().self().toString(),
                inner.serving().metrics()::forged);
        var now = inner.service(inner.serving().configs().current());
        var decision = now.policies().decide(inner.caller(), head);
        if (!decision.allowed()) {
            record.denied(decision.policy());
            answer(403, "-", "rbac_access_denied_matched_policy[" + decision.text() + "]", DENIED);
            return;
        }
        head.sanitise(
                inner.caller(),
                inner.serving().self().toString(),
                inner.serving().metrics()::forged);
        route(head, inner.port(now).routes());
    }

    // ---- routing ----

    private void route(RequestHead request, RouteTable routes) {
        if (inner.pod().isPresent()) {
            record.route("pod");
            forward(request, null, Forward.getDefaultInstance());
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
                forward(request, chosen.get(), route.getForward());
            }
            case REDIRECT ->
                send(Answers.redirect(route.getRedirect(), request, chosen.get().prefix()));
            case DIRECT_RESPONSE ->
                send(Answers.local(
                        route.getDirectResponse().getStatus(),
                        route.getDirectResponse().getBody().toByteArray(),
                        request));
            case ACTION_NOT_SET -> answer(500, "NR", "no action", new byte[0]);
        }
    }

    private void forward(RequestHead request, RouteTable.@Nullable Chosen chosen, Forward forward) {
        var backend = chosen == null ? Optional.of(Forwarding.Target.ofPod(inner)) : Forwarding.Target.choose(forward);
        if (backend.isEmpty()) {
            answer(500, "NC", "no backend has a weight", new byte[0]);
            return;
        }
        var broken = backend.get().backend().getBrokenStatus();
        if (broken != 0) {
            answer(broken, "NC", "cluster_not_found", new byte[0]);
            return;
        }
        HeaderEdits.apply(backend.get().backend().getRequestHeaders(), request.onward());
        if (chosen != null) {
            rewrite(request, chosen, forward);
        }
        var next = new Forwarding(this, request, forward, backend.get());
        forwarding = next;
        next.start();
    }

    private static void rewrite(RequestHead request, RouteTable.Chosen chosen, Forward forward) {
        var rewrite = forward.getRewrite();
        if (rewrite.hasAuthority()) {
            request.rewriteAuthority(rewrite.getAuthority());
        }
        switch (rewrite.getPathCase()) {
            case FULL -> request.rewritePath(rewrite.getFull());
            case PREFIX ->
                request.rewritePath(
                        chosen.prefix().isEmpty()
                                ? rewrite.getPrefix()
                                : PathRewrite.replacePrefix(request.path(), chosen.prefix(), rewrite.getPrefix()));
            case PATH_NOT_SET -> {}
        }
    }

    /// Whether the upstream is spoken to in HTTP/2: as its port says, else as the client speaks.
    boolean usesHttp2() {
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

    private void send(FullHttpResponse answer) {
        record.answered(answer.status().code());
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
        downstream.write(answer);
        if (head == null) {
            downstream.neverKeepAlive();
        }
        end();
        downstream.answered();
    }

    // ---- the upstream's answer ----

    /// Passes on the head; what ends at a hop ends here.
    void answerHead(HttpResponse response, HeaderOperations backendHeaders) {
        var headers = response.headers();
        for (var value : headers.getAll(HttpHeaderNames.CONNECTION)) {
            for (var token : value.split(",", -1)) {
                if (!token.isBlank()) {
                    headers.remove(token.strip());
                }
            }
        }
        headers.remove(HttpHeaderNames.CONNECTION).remove("keep-alive").remove("proxy-connection");
        headers.remove("upgrade").remove("x-http2-stream-id").remove("x-http2-stream-weight");
        HeaderEdits.apply(responseHeaders, headers);
        HeaderEdits.apply(backendHeaders, headers);
        response.setProtocolVersion(HttpVersion.HTTP_1_1);
        if (!downstream.isHttp2() && head != null) {
            frame(response, head);
        }
        record.answered(response.status().code());
        var grpc = headers.get("grpc-status");
        if (grpc != null) {
            record.grpcStatus(grpc);
        }
        answerStarted = true;
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
        record.sent(content.content().readableBytes());
        var last = content instanceof LastHttpContent;
        if (content instanceof LastHttpContent trailers) {
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
        record.received(content.content().readableBytes());
        if (content instanceof LastHttpContent last && !last.trailingHeaders().isEmpty()) {
            RequestHead.sanitiseTrailers(last.trailingHeaders());
        }
        if (forwarding == null || over) {
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
                record.denied(decision.policy());
                answer(403, "-", "policy_changed[" + decision.text() + "]", DENIED);
            }
        }
    }

    private void end() {
        if (!over) {
            over = true;
            inner.worker().remove(this);
            if (forwarding != null) {
                forwarding.stop();
            }
            record.end();
        }
    }
}
