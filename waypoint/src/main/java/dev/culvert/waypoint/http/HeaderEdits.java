package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.HeaderOperations;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.stream.Stream;

/// What routes do to headers: first removed, then set, then added. How a message ends is not theirs to say.
final class HeaderEdits {
    private static final HeaderNames HOP_BY_HOP = new HeaderNames(List.of(
            "connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings", "proxy-authorization"));

    private HeaderEdits() {}

    /// Whether a header says where a message ends or for which host it is.
    static boolean isFraming(String name) {
        return name.equalsIgnoreCase("content-length")
                || name.equalsIgnoreCase("transfer-encoding")
                || name.equalsIgnoreCase("host");
    }

    /// What a header takes, written out.
    static long bytes(HttpHeaders headers) {
        var bytes = 0L;
        for (var all = headers.iteratorCharSequence(); all.hasNext(); ) {
            var one = all.next();
            bytes += one.getKey().length() + one.getValue().length() + 4;
        }
        return bytes;
    }

    /// Which headers are for this hop only, in its sender's words.
    static List<String> namedByConnection(HttpHeaders headers) {
        var values = headers.getAll(HttpHeaderNames.CONNECTION);
        if (values.isEmpty()) {
            return List.of();
        }
        return values.stream()
                .flatMap(value -> Stream.of(value.split(",", -1)))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
    }

    /// Drops what is for one hop only (RFC 9110 §7.6.1).
    static void endHops(HttpHeaders headers) {
        namedByConnection(headers).forEach(headers::remove);
        HOP_BY_HOP.in(headers).forEach(headers::remove);
    }

    static void apply(HeaderOperations operations, HttpHeaders headers) {
        for (var name : operations.getRemoveList()) {
            if (!isFraming(name)) {
                headers.remove(name);
            }
        }
        for (var header : operations.getSetList()) {
            if (header.getName().equalsIgnoreCase("host") || !isFraming(header.getName())) {
                headers.set(header.getName(), header.getValue());
            }
        }
        for (var header : operations.getAddList()) {
            if (!isFraming(header.getName())) {
                headers.add(header.getName(), header.getValue());
            }
        }
    }
}
