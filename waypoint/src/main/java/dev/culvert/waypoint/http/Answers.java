package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.Fault;
import dev.culvert.protos.waypoint.Redirect;
import dev.culvert.waypoint.route.PathRewrite;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Answers of our own.
final class Answers {
    private Answers() {}

    /// As gRPC clients want it: 200, and a status of gRPC's own.
    /// @param request null if it could not be read
    static FullHttpResponse local(int status, byte[] body, @Nullable RequestHead request) {
        if (request != null && request.isGrpc() && status >= 400) {
            var answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            answer.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, "application/grpc")
                    .set("grpc-status", Integer.toString(grpcStatus(status)))
                    .set("grpc-message", new String(body, StandardCharsets.US_ASCII))
                    .set(HttpHeaderNames.CONTENT_LENGTH, 0);
            return answer;
        }
        var answer = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), Unpooled.wrappedBuffer(body));
        if (body.length > 0) {
            answer.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain");
        }
        if (status != 204 && status != 304) {
            answer.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        }
        return answer;
    }

    /// What clients are told of an upstream that gave no answer, in Envoy's words.
    static byte[] broken(String reason, boolean afterRetry) {
        var latest = afterRetry ? "retried and the latest reset reason: " : "reset reason: ";
        return ("upstream connect error or disconnect/reset before headers. " + latest + reason)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// A fault's answer: gRPC's own status is for gRPC's clients.
    static FullHttpResponse fault(Fault fault, RequestHead request) {
        var body = "fault filter abort".getBytes(StandardCharsets.US_ASCII);
        if (!fault.hasAbortGrpcStatus()) {
            return local(fault.getAbortStatus(), body, request);
        }
        if (!request.isGrpc()) {
            return local(200, body, null);
        }
        var answer = local(503, body, request);
        answer.headers().set("grpc-status", Integer.toString(fault.getAbortGrpcStatus()));
        return answer;
    }

    /// How HTTP statuses are told to gRPC clients (gRPC, "HTTP to gRPC Status Code Mapping").
    static int grpcStatus(int status) {
        return switch (status) {
            case 400 -> 13;
            case 401 -> 16;
            case 403 -> 7;
            case 404 -> 12;
            case 429, 502, 503, 504 -> 14;
            default -> 2;
        };
    }

    /// @param prefix that the route's match covered
    /// @param dialledPort of the Service
    static FullHttpResponse redirect(Redirect redirect, RequestHead request, String prefix, int dialledPort) {
        var answer = local(redirect.getStatus(), new byte[0], null);
        answer.headers().set(HttpHeaderNames.LOCATION, location(redirect, request, prefix, dialledPort));
        return answer;
    }

    private static String location(Redirect redirect, RequestHead request, String prefix, int dialledPort) {
        var scheme = redirect.getScheme().isEmpty() ? request.scheme() : redirect.getScheme();
        var colon = request.authority().lastIndexOf(':');
        var bracket = request.authority().lastIndexOf(']');
        var ownHost = colon > bracket ? request.authority().substring(0, colon) : request.authority();
        var ownPort = colon > bracket ? request.authority().substring(colon + 1) : "";
        var host = redirect.getAuthority().isEmpty() ? ownHost : redirect.getAuthority();
        var port = redirect.getPort() != 0
                ? Integer.toString(redirect.getPort())
                : switch (redirect.getPortFrom()) {
                    case DIALLED -> Integer.toString(dialledPort);
                    case SCHEME, UNRECOGNIZED -> "";
                    case SENT ->
                        redirect.getScheme().isEmpty()
                                        && redirect.getAuthority().isEmpty()
                                ? ownPort
                                : "";
                };
        var known = (scheme.equals("http") && port.equals("80")) || (scheme.equals("https") && port.equals("443"));
        return scheme + "://" + host + (port.isEmpty() || known ? "" : ":" + port) + target(redirect, request, prefix);
    }

    private static String target(Redirect redirect, RequestHead request, String prefix) {
        var path =
                switch (redirect.getPathCase()) {
                    case FULL -> redirect.getFull();
                    case PREFIX -> PathRewrite.replacePrefix(request.path(), prefix, redirect.getPrefix());
                    case PATH_NOT_SET -> request.path();
                };
        return request.query().isEmpty() || path.indexOf('?') >= 0 ? path : path + "?" + request.query();
    }
}
