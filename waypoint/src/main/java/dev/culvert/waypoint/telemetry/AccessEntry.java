package dev.culvert.waypoint.telemetry;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What Istio's access log says of one request or connection, in its words; `""` is what nobody knows, 0 the status of
/// no answer. Sources: Envoy's `EnvoyTextLogFormat` and `EnvoyJsonLogFormat` in Istio's `accesslog.go`.
/// @param path as it was asked for
/// @param upstreamMillis from the end of the request to the head of the answer; negative if there was none
record AccessEntry(
        Instant start,
        String method,
        String path,
        String protocol,
        int status,
        String flags,
        String details,
        long received,
        long sent,
        long durationMillis,
        long upstreamMillis,
        Headers headers,
        Upstream upstream,
        String dialled,
        String source,
        String route) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    /// Of the request.
    record Headers(String forwardedFor, String userAgent, String requestId, String authority) {
        static final Headers NONE = new Headers("", "", "", "");
    }

    /// Where it went.
    record Upstream(String host, String cluster) {
        static final Upstream NONE = new Upstream("", "");
    }

    /// Without its newline.
    String text() {
        var line = new StringBuilder(400);
        line.append('[').append(TIME.format(start)).append("] \"");
        line.append(word(method)).append(' ').append(word(path)).append(' ').append(word(protocol));
        line.append("\" ").append(status);
        line.append(' ').append(word(flags)).append(' ').append(word(details)).append(" - \"-\" ");
        line.append(received)
                .append(' ')
                .append(sent)
                .append(' ')
                .append(durationMillis)
                .append(' ');
        line.append(upstreamMillis < 0 ? "-" : Long.toString(upstreamMillis));
        for (var quoted : new String[] {
            headers.forwardedFor, headers.userAgent, headers.requestId, headers.authority, upstream.host
        }) {
            line.append(" \"").append(word(quoted)).append('"');
        }
        line.append(' ').append(word(upstream.cluster)).append(" - ");
        line.append(word(dialled)).append(' ').append(word(source)).append(" - ");
        return line.append(word(route)).toString();
    }

    /// What a stranger sends can neither end a line nor a quoted word.
    private static String word(String text) {
        if (text.isEmpty()) {
            return "-";
        }
        for (var i = 0; i < text.length(); i++) {
            if (text.charAt(i) < ' ' || text.charAt(i) == '"' || text.charAt(i) == 127) {
                return escaped(text);
            }
        }
        return text;
    }

    private static String escaped(String text) {
        var safe = new StringBuilder(text.length() + 16);
        text.chars().forEach(c -> {
            if (c == '"') {
                safe.append("\\\"");
            } else if (c < ' ' || c == 127) {
                safe.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                safe.append((char) c);
            }
        });
        return safe.toString();
    }

    /// By key; what is not known is null.
    Map<String, @Nullable Object> fields() {
        var all = new LinkedHashMap<String, @Nullable Object>();
        all.put("start_time", TIME.format(start));
        all.put("route_name", known(route));
        all.put("method", known(method));
        all.put("path", known(path));
        all.put("protocol", known(protocol));
        all.put("response_code", status);
        all.put("response_flags", flags);
        all.put("response_code_details", known(details));
        all.put("connection_termination_details", null);
        all.put("bytes_received", received);
        all.put("bytes_sent", sent);
        all.put("duration", durationMillis);
        all.put("upstream_service_time", upstreamMillis < 0 ? null : Long.toString(upstreamMillis));
        all.put("x_forwarded_for", known(headers.forwardedFor));
        all.put("user_agent", known(headers.userAgent));
        all.put("request_id", known(headers.requestId));
        all.put("authority", known(headers.authority));
        all.put("upstream_host", known(upstream.host));
        all.put("upstream_cluster", known(upstream.cluster));
        all.put("upstream_local_address", null);
        all.put("downstream_local_address", known(dialled));
        all.put("downstream_remote_address", known(source));
        all.put("requested_server_name", null);
        all.put("upstream_transport_failure_reason", null);
        return all;
    }

    private static @Nullable String known(String text) {
        return text.isEmpty() ? null : text;
    }
}
