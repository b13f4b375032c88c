package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.waypoint.balance.HashedRequest;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.route.Paths;
import dev.culvert.waypoint.route.QueryParameters;
import dev.culvert.waypoint.route.RequestView;
import dev.culvert.waypoint.token.Carrier;
import dev.culvert.waypoint.token.Token;
import dev.culvert.waypoint.token.Verdict;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A request's head in its one form: what is matched is what is forwarded, but for what a route changes on purpose.
/// What was matched stays, for a policy that changes later. Confined to its loop.
final class RequestHead implements RequestView, HashedRequest.Keys, Carrier {
    /// What only the verified tunnel may say, or what would command a proxy.
    private static final HeaderNames FORGEABLE = new HeaderNames(List.of(
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
            "x-http2-stream-promise-id"));

    /// What trusted proxies may say.
    private static final List<String> HOPS = List.of("x-forwarded-for", "x-forwarded-proto");

    private final HttpMethod method;
    private final HttpHeaders headers;
    private final boolean keepAlive;
    private final boolean http10;
    private final boolean webSocket;
    private final String authority;
    private final String path;
    private final String query;
    private String onwardPath;
    private @Nullable HttpHeaders onward;
    private String callerNamespace = "";
    private String callerWorkload = "";
    private @Nullable Hops hops;
    private String onwardQuery;
    private @Nullable Token token;
    private long expiresAt = Verdict.FOR_EVER;

    private RequestHead(HttpRequest request, String authority, String path, String query) {
        this.method = request.method();
        this.headers = request.headers();
        this.keepAlive = HttpUtil.isKeepAlive(request);
        this.http10 = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        this.webSocket = wantsWebSocket(request);
        this.authority = authority;
        this.path = path;
        this.query = query;
        this.onwardPath = path;
        this.onwardQuery = query;
    }

    /// RFC 6455 §4.1; nobody is led into another protocol.
    private static boolean wantsWebSocket(HttpRequest request) {
        var headers = request.headers();
        return request.method().equals(HttpMethod.GET)
                && request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                && headers.getAll(HttpHeaderNames.UPGRADE).size() == 1
                && HttpHeaderValues.WEBSOCKET.contentEqualsIgnoreCase(headers.get(HttpHeaderNames.UPGRADE))
                && !headers.contains(HttpHeaderNames.TRANSFER_ENCODING)
                && HttpUtil.getContentLength(request, 0) == 0;
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
    static RequestHead of(HttpRequest request, boolean http2, PathNormalization how) throws BadRequestException {
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
        return parse(request, hosts.isEmpty() ? "" : hosts.getFirst(), how);
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
        for (var name : HeaderEdits.namedByConnection(request.headers())) {
            if (HeaderEdits.isFraming(name)) {
                throw new BadRequestException(400, "Connection may not name " + name);
            }
        }
    }

    private static RequestHead parse(HttpRequest request, String host, PathNormalization how)
            throws BadRequestException {
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
        var path = Paths.normalise(mark < 0 ? target : target.substring(0, mark), how);
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
        HeaderEdits.endHops(headers);
        var known = hops;
        var way = known == null ? Hops.of(headers, caller) : known;
        hops = way;
        if (headers.contains(HttpHeaderNames.TE)
                && headers.getAll(HttpHeaderNames.TE).stream().noneMatch(te -> te.equalsIgnoreCase("trailers"))) {
            headers.remove(HttpHeaderNames.TE);
        }
        for (var name : FORGEABLE.in(headers)) {
            headers.remove(name);
            if (!name.startsWith("x-http2-") && !(known == null && way.told() && HOPS.contains(name))) {
                forged.accept(name);
            }
        }
        way.writeTo(headers, caller);
        caller.identity().ifPresent(who -> headers.set("x-forwarded-client-cert", "By=" + self + ";URI=" + who));
        if (caller.certificate() != null) {
            headers.set("x-forwarded-client-cert", caller.certificate());
        }
        if (!headers.contains("x-request-id")) {
            headers.set("x-request-id", requestId());
        }
        if (!authority.isEmpty()) {
            headers.set(HttpHeaderNames.HOST, authority);
        }
    }

    /// A version 4 UUID (RFC 9562 §5.4); it is no secret.
    private static String requestId() {
        var random = ThreadLocalRandom.current();
        return new UUID((random.nextLong() & ~0xF000L) | 0x4000L, (random.nextLong() & ~(3L << 62)) | (1L << 63))
                .toString();
    }

    /// @param workload the pod that calls, if the mesh knows it
    void from(Caller caller, Optional<Workload> workload) {
        callerNamespace = caller.namespace();
        callerWorkload = workload.map(Workload::uid).orElse("");
    }

    @Override
    public Optional<InetAddress> client() {
        return Optional.ofNullable(hops).map(Hops::client);
    }

    @Override
    public String callerNamespace() {
        return callerNamespace;
    }

    @Override
    public String callerWorkload() {
        return callerWorkload;
    }

    // ---- tokens ----

    /// What tokens have proved; what only they may say is theirs from now on.
    /// @param ownHeaders headers that only a token may set
    void authenticated(Verdict.Passed passed, Collection<String> ownHeaders) {
        token = passed.token();
        expiresAt = passed.untilSeconds();
        ownHeaders.forEach(headers::remove);
        for (var said : passed.said()) {
            headers.set(said.header(), said.value());
        }
        for (var place : passed.spent()) {
            switch (place.kind()) {
                case HEADER -> onward().remove(place.name());
                case QUERY_PARAMETER -> onwardQuery = QueryParameters.without(onwardQuery, place.name());
                case COOKIE -> withoutCookie(place.name());
            }
        }
    }

    /// In seconds of the epoch.
    long expiresAt() {
        return expiresAt;
    }

    private void withoutCookie(String name) {
        var left = new ArrayList<String>();
        for (var value : headers.getAll(HttpHeaderNames.COOKIE)) {
            for (var pair : value.split(";", -1)) {
                var equals = pair.indexOf('=');
                if (!pair.isBlank()
                        && !(equals > 0 && pair.substring(0, equals).strip().equals(name))) {
                    left.add(pair.strip());
                }
            }
        }
        onward().remove(HttpHeaderNames.COOKIE);
        if (!left.isEmpty()) {
            onward().set(HttpHeaderNames.COOKIE, String.join("; ", left));
        }
    }

    /// Whether it asks what another request may do (the Fetch standard, "CORS-preflight request").
    boolean isPreflight() {
        return method.equals(HttpMethod.OPTIONS)
                && headers.contains(HttpHeaderNames.ORIGIN)
                && headers.contains(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
    }

    @Override
    public String requestPrincipal() {
        return token == null ? "" : token.principal();
    }

    @Override
    public List<String> claim(List<String> path) {
        return token == null ? List.of() : token.claim(path);
    }

    // ---- keys ----

    @Override
    public Optional<String> firstHeader(String name) {
        return Optional.ofNullable(headers.get(name));
    }

    @Override
    public Optional<String> cookie(String name) {
        for (var value : headers.getAll(HttpHeaderNames.COOKIE)) {
            for (var pair : value.split(";", -1)) {
                var equals = pair.indexOf('=');
                if (equals > 0 && pair.substring(0, equals).strip().equals(name)) {
                    var found = pair.substring(equals + 1).strip();
                    var quoted = found.length() > 1 && found.startsWith("\"") && found.endsWith("\"");
                    return Optional.of(quoted ? found.substring(1, found.length() - 1) : found);
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<String> queryParameter(String name) {
        return QueryParameters.first(query, name);
    }

    @Override
    public String sourceIp() {
        return hops == null ? "" : Addresses.text(hops.client());
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
        FORGEABLE.in(trailers).forEach(trailers::remove);
        HeaderEdits.endHops(trailers);
        trailers.remove(HttpHeaderNames.HOST).remove(HttpHeaderNames.CONTENT_LENGTH);
        trailers.remove(HttpHeaderNames.TRANSFER_ENCODING).remove(HttpHeaderNames.AUTHORIZATION);
    }

    boolean keepAlive() {
        return keepAlive;
    }

    /// Whether it asks to go on as a WebSocket.
    boolean isWebSocket() {
        return webSocket;
    }

    boolean isHttp10() {
        return http10;
    }

    boolean isGrpc() {
        var type = headers.get(HttpHeaderNames.CONTENT_TYPE);
        return type != null && type.toLowerCase(Locale.ROOT).startsWith("application/grpc");
    }

    /// What gRPC's client gives it (gRPC over HTTP2, "Timeout"); 0 if it says nothing.
    long grpcTimeoutNanos() {
        var text = headers.get("grpc-timeout");
        if (text == null || text.length() < 2 || text.length() > 9) {
            return 0;
        }
        var digits = text.substring(0, text.length() - 1);
        var unit =
                switch (text.charAt(text.length() - 1)) {
                    case 'H' -> 3_600_000_000_000L;
                    case 'M' -> 60_000_000_000L;
                    case 'S' -> 1_000_000_000L;
                    case 'm' -> 1_000_000L;
                    case 'u' -> 1_000L;
                    case 'n' -> 1L;
                    default -> 0L;
                };
        if (!digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return 0;
        }
        var count = Long.parseLong(digits);
        return unit != 0 && count > Long.MAX_VALUE / unit ? Long.MAX_VALUE : count * unit;
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
        return onwardQuery.isEmpty() ? onwardPath : onwardPath + "?" + onwardQuery;
    }

    /// For logs: nothing in it that could be a token.
    String shown() {
        return query.contains("eyJ") || query.contains("token") ? path + "?***" : target();
    }

    @Override
    public String method() {
        return method.name();
    }

    @Override
    public String scheme() {
        return hops == null ? "http" : hops.scheme();
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
