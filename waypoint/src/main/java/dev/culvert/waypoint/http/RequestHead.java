package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.route.Paths;
import dev.culvert.waypoint.route.RequestView;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A request's head in its one form: what is matched is what is forwarded, but for what a route changes on purpose.
/// What was matched stays, for a policy that changes later. Confined to its loop.
final class RequestHead implements RequestView {
    /// What only the verified tunnel may say, or what would command a proxy.
    private static final List<String> FORGEABLE = List.of(
            "x-forwarded-client-cert",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "forwarded",
            "x-real-ip",
            "x-envoy-external-address",
            "x-envoy-internal",
            "x-envoy-original-path",
            "x-envoy-retry-on",
            "x-envoy-retry-grpc-on",
            "x-envoy-max-retries",
            "x-envoy-upstream-rq-timeout-ms",
            "x-envoy-upstream-rq-per-try-timeout-ms",
            "x-http2-scheme",
            "x-http2-path",
            "x-http2-stream-id",
            "x-http2-stream-dependency-id",
            "x-http2-stream-weight",
            "x-http2-stream-promise-id");
    private static final List<String> HOP_BY_HOP =
            List.of("connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings", "proxy-authorization");

    private final HttpMethod method;
    private final HttpHeaders headers;
    private final boolean keepAlive;
    private final boolean http10;
    private final String authority;
    private final String path;
    private final String query;
    private String onwardPath;
    private @Nullable HttpHeaders onward;

    private RequestHead(HttpRequest request, String authority, String path, String query) {
        this.method = request.method();
        this.headers = request.headers();
        this.keepAlive = HttpUtil.isKeepAlive(request);
        this.http10 = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        this.authority = authority;
        this.path = path;
        this.query = query;
        this.onwardPath = path;
    }

    /// What a request is refused for, with the status.
    static final class BadRequestException extends Exception {
        private static final long serialVersionUID = 1L;

        private final int status;

        BadRequestException(int status, String why) {
            super(why, null, false, false);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /// @param http2 whether it came by HTTP/2
    static RequestHead of(HttpRequest request, boolean http2) throws BadRequestException {
        if (request.decoderResult().isFailure()) {
            var cause = request.decoderResult().cause();
            var tooLong = cause.getClass().getSimpleName().startsWith("TooLong");
            throw new BadRequestException(tooLong ? 431 : 400, "not HTTP: " + cause.getMessage());
        }
        if (request.method().equals(HttpMethod.CONNECT)) {
            throw new BadRequestException(405, "CONNECT inside of a tunnel");
        }
        checkFraming(request);
        var hosts = request.headers().getAll(HttpHeaderNames.HOST);
        var http10 = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        if (hosts.size() > 1 || (hosts.isEmpty() && !http10 && !http2)) {
            throw new BadRequestException(400, hosts.size() + " Host headers");
        }
        return parse(request, hosts.isEmpty() ? "" : hosts.getFirst());
    }

    /// One length, or chunks; nothing that two parsers could see differently (RFC 9112 §6.1), and no way to have the
    /// length taken away on the way (RFC 9110 §7.6.1): the rest of the body would be the next request.
    private static void checkFraming(HttpRequest request) throws BadRequestException {
        var codings = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        var chunked = codings.size() == 1 && codings.getFirst().strip().equalsIgnoreCase("chunked");
        if (!codings.isEmpty() && !chunked) {
            throw new BadRequestException(501, "transfer codings " + codings);
        }
        var lengths = request.headers().getAll(HttpHeaderNames.CONTENT_LENGTH);
        if (lengths.size() > 1 || (chunked && !lengths.isEmpty())) {
            throw new BadRequestException(400, "the length of the body is said twice");
        }
        for (var value : request.headers().getAll(HttpHeaderNames.CONNECTION)) {
            for (var token : value.split(",", -1)) {
                if (HeaderEdits.isFraming(token.strip())) {
                    throw new BadRequestException(400, "Connection may not name " + token.strip());
                }
            }
        }
    }

    private static RequestHead parse(HttpRequest request, String host) throws BadRequestException {
        var target = request.uri();
        var authority = host;
        if (target.equals("*") && request.method().equals(HttpMethod.OPTIONS)) {
            return new RequestHead(request, host, "*", "");
        }
        if (target.regionMatches(true, 0, "http://", 0, 7) || target.regionMatches(true, 0, "https://", 0, 8)) {
            var start = target.indexOf("//") + 2;
            var end = firstOf(target, start);
            authority = target.substring(start, end);
            target = target.startsWith("/", end) ? target.substring(end) : "/" + target.substring(end);
        }
        var mark = target.indexOf('?');
        var query = mark < 0 ? "" : target.substring(mark + 1);
        if (query.chars().anyMatch(c -> c <= ' ' || c >= 127 || c == '#')
                || authority.chars().anyMatch(c -> c <= ' ' || c >= 127 || c == '/' || c == '@')) {
            throw new BadRequestException(400, "the target has characters that it may not have");
        }
        var path = Paths.normalise(mark < 0 ? target : target.substring(0, mark));
        if (path.isEmpty()) {
            throw new BadRequestException(400, "the target is no path");
        }
        return new RequestHead(request, authority, path.get(), query);
    }

    private static int firstOf(String target, int from) {
        for (var i = from; i < target.length(); i++) {
            if (target.charAt(i) == '/' || target.charAt(i) == '?') {
                return i;
            }
        }
        return target.length();
    }

    /// Takes away what ends here and what a client may not say, and says what the tunnel says.
    /// @param forged told each name that a client had set
    void sanitise(Caller caller, String self, Consumer<String> forged) {
        for (var value : headers.getAll(HttpHeaderNames.CONNECTION)) {
            for (var token : value.split(",", -1)) {
                if (!token.isBlank()) {
                    headers.remove(token.strip());
                }
            }
        }
        HOP_BY_HOP.forEach(headers::remove);
        if (headers.getAll(HttpHeaderNames.TE).stream().noneMatch(te -> te.equalsIgnoreCase("trailers"))) {
            headers.remove(HttpHeaderNames.TE);
        }
        for (var name : FORGEABLE) {
            if (headers.contains(name)) {
                headers.remove(name);
                if (!name.startsWith("x-http2-")) {
                    forged.accept(name);
                }
            }
        }
        headers.set("x-forwarded-for", Addresses.text(caller.source().getAddress()));
        headers.set("x-forwarded-proto", "http");
        headers.set("x-forwarded-client-cert", "By=" + self + ";URI=" + caller.identity());
        headers.set("forwarded", "for=\"" + Addresses.text(caller.source()) + "\";proto=http");
        if (!headers.contains("x-request-id")) {
            headers.set("x-request-id", UUID.randomUUID().toString());
        }
        if (!authority.isEmpty()) {
            headers.set(HttpHeaderNames.HOST, authority);
        }
    }

    HttpMethod httpMethod() {
        return method;
    }

    /// Those that go on, which routes may change.
    HttpHeaders onward() {
        if (onward == null) {
            onward = headers.copy();
        }
        return onward;
    }

    /// A trailer is no way around what a header may not say.
    static void sanitiseTrailers(HttpHeaders trailers) {
        FORGEABLE.forEach(trailers::remove);
        HOP_BY_HOP.forEach(trailers::remove);
        trailers.remove(HttpHeaderNames.HOST).remove(HttpHeaderNames.CONTENT_LENGTH);
        trailers.remove(HttpHeaderNames.TRANSFER_ENCODING).remove(HttpHeaderNames.AUTHORIZATION);
    }

    boolean keepAlive() {
        return keepAlive;
    }

    boolean isHttp10() {
        return http10;
    }

    boolean isGrpc() {
        var type = headers.get(HttpHeaderNames.CONTENT_TYPE);
        return type != null && type.toLowerCase(Locale.ROOT).startsWith("application/grpc");
    }

    boolean isChunked() {
        return headers.contains(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED, true);
    }

    /// Whether it may be sent again without asking (RFC 9110 §9.2.2).
    boolean isIdempotent() {
        return switch (method.name()) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> false;
        };
    }

    void rewriteAuthority(String to) {
        onward().set(HttpHeaderNames.HOST, to);
    }

    void rewritePath(String to) {
        onward().set("x-envoy-original-path", target());
        onwardPath = to;
    }

    /// As it came, in its normal form.
    String target() {
        return query.isEmpty() ? path : path + "?" + query;
    }

    String onwardTarget() {
        return query.isEmpty() ? onwardPath : onwardPath + "?" + query;
    }

    @Override
    public String method() {
        return method.name();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return authority;
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public String query() {
        return query;
    }

    @Override
    public List<String> header(String name) {
        return headers.getAll(name);
    }
}
