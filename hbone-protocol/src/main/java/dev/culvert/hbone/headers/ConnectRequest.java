package dev.culvert.hbone.headers;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// What a CONNECT of HBONE says (classic CONNECT, RFC 9113 §8.5). All but the authority is for telemetry.
/// @param clientNetwork where the client is, if a gateway is between (`x-forwarded-network`); else null
public record ConnectRequest(
        Authority authority,
        Baggage baggage,
        Forwarded forwarded,
        String traceparent,
        @Nullable String clientNetwork) {
    private static final AsciiString BAGGAGE = AsciiString.cached("baggage");
    private static final AsciiString FORWARDED = AsciiString.cached("forwarded");
    private static final AsciiString TRACEPARENT = AsciiString.cached("traceparent");
    private static final AsciiString NETWORK = AsciiString.cached("x-forwarded-network");
    private static final AsciiString CONNECT = AsciiString.cached("CONNECT");
    private static final AsciiString OK = AsciiString.cached("200");

    public Http2Headers toHeaders() {
        var headers = new DefaultHttp2Headers(false, 8)
                .method(CONNECT)
                .authority(authority.toString())
                .set(BAGGAGE, baggage.text())
                .set(FORWARDED, forwarded.text())
                .set(TRACEPARENT, traceparent);
        return clientNetwork == null ? headers : headers.set(NETWORK, clientNetwork);
    }

    /// Empty if it is not a classic CONNECT with an authority that names a port: the answer is 400.
    public static Optional<ConnectRequest> parse(Http2Headers headers) {
        var authority = headers.authority();
        if (!isConnect(headers) || authority == null) {
            return Optional.empty();
        }
        var forwarded = headers.get(FORWARDED);
        var traceparent = headers.get(TRACEPARENT);
        var network = headers.get(NETWORK);
        return Authority.parse(authority)
                .map(parsed -> new ConnectRequest(
                        parsed,
                        Baggage.parse(headers.getAll(BAGGAGE)),
                        Forwarded.parse(forwarded == null ? "" : forwarded),
                        traceparent == null ? "" : traceparent.toString(),
                        network == null ? null : network.toString()));
    }

    private static boolean isConnect(Http2Headers headers) {
        var method = headers.method();
        return method != null
                && CONNECT.contentEquals(method)
                && headers.scheme() == null
                && headers.path() == null
                && headers.get(":protocol") == null;
    }

    /// The same, told from which network it comes.
    public ConnectRequest from(String network) {
        return new ConnectRequest(authority, baggage, forwarded, traceparent, network);
    }

    /// A new random trace context (W3C), so that the logs of two hops can be joined.
    public static String newTraceparent() {
        var random = ThreadLocalRandom.current();
        var hex = HexFormat.of();
        return "00-" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong()) + "-"
                + hex.toHexDigits(random.nextLong()) + "-00";
    }

    public static Http2Headers accepted(Baggage server) {
        var headers = new DefaultHttp2Headers(false, 2).status(OK);
        return server.equals(Baggage.NONE) ? headers : headers.set(BAGGAGE, server.text());
    }

    public static Http2Headers refused(int status) {
        return new DefaultHttp2Headers(false, 1).status(Integer.toString(status));
    }

    /// The status of an answer; 0 if there is none.
    public static int status(Http2Headers headers) {
        var status = headers.status();
        return status != null && status.length() == 3 && status.chars().allMatch(c -> c >= '0' && c <= '9')
                ? Integer.parseInt(status.toString())
                : 0;
    }

    public static Baggage baggageOf(Http2Headers answer) {
        return Baggage.parse(answer.getAll(BAGGAGE));
    }
}
