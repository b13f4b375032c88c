package dev.culvert.waypoint.http;

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

    static FullHttpResponse redirect(Redirect redirect, RequestHead request, String prefix) {
        var answer = local(redirect.getStatus(), new byte[0], null);
        answer.headers().set(HttpHeaderNames.LOCATION, location(redirect, request, prefix));
        return answer;
    }

    private static String location(Redirect redirect, RequestHead request, String prefix) {
        var scheme = redirect.getScheme().isEmpty() ? request.scheme() : redirect.getScheme();
        var colon = request.authority().lastIndexOf(':');
        var bracket = request.authority().lastIndexOf(']');
        var ownHost = colon > bracket ? request.authority().substring(0, colon) : request.authority();
        var ownPort = colon > bracket ? request.authority().substring(colon + 1) : "";
        var host = redirect.getAuthority().isEmpty() ? ownHost : redirect.getAuthority();
        var port = redirect.getPort() != 0
                ? Integer.toString(redirect.getPort())
                : redirect.getScheme().isEmpty() && redirect.getAuthority().isEmpty() ? ownPort : "";
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
