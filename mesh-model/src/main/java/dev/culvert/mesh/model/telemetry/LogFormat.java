package dev.culvert.mesh.model.telemetry;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One of Envoy's format strings: text with operators such as `%REQ(X-ID?:PATH):20%`. Immutable.
/// Source: Envoy's manual, "Access logging", "Format strings".
public record LogFormat(List<Piece> pieces) {
    /// Longer ones are no format.
    public static final int MAX_LENGTH = 8192;

    /// Those that have a value here.
    public static final Set<String> OPERATORS = Set.of(
            "BYTES_RECEIVED",
            "BYTES_SENT",
            "CEL",
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_LOCAL_ADDRESS",
            "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_LOCAL_PORT",
            "DOWNSTREAM_PEER_URI_SAN",
            "DOWNSTREAM_REMOTE_ADDRESS",
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_REMOTE_PORT",
            "DURATION",
            "FILTER_STATE",
            "GRPC_STATUS",
            "GRPC_STATUS_NUMBER",
            "PROTOCOL",
            "REQ",
            "REQUEST_DURATION",
            "REQUEST_HEADERS_BYTES",
            "RESP",
            "RESPONSE_CODE",
            "RESPONSE_CODE_DETAILS",
            "RESPONSE_DURATION",
            "RESPONSE_FLAGS",
            "RESPONSE_HEADERS_BYTES",
            "RESPONSE_TX_DURATION",
            "ROUTE_NAME",
            "START_TIME",
            "TRACE_ID",
            "TRAILER",
            "UPSTREAM_CLUSTER",
            "UPSTREAM_CLUSTER_RAW",
            "UPSTREAM_HOST",
            "UPSTREAM_REMOTE_ADDRESS",
            "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "UPSTREAM_REMOTE_PORT",
            "UPSTREAM_REQUEST_ATTEMPT_COUNT");

    /// Those of Istio's default lines that nothing here could fill.
    public static final Set<String> EMPTY = Set.of(
            "CONNECTION_TERMINATION_DETAILS",
            "REQUESTED_SERVER_NAME",
            "UPSTREAM_LOCAL_ADDRESS",
            "UPSTREAM_TRANSPORT_FAILURE_REASON");

    private static final Pattern NAME = Pattern.compile("[A-Z][A-Z0-9_]*");
    private static final Pattern END = Pattern.compile("\\)(?::(\\d{1,6}))?%");
    private static final Pattern BARE_END = Pattern.compile("(?::(\\d{1,6}))?%");

    /// Istio's own, of a mesh that names none.
    public static final LogFormat DEFAULT = parse("[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
            + " %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%"
            + " \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION%"
            + " %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\""
            + " \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW%"
            + " %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%"
            + " %REQUESTED_SERVER_NAME% %ROUTE_NAME%");

    public sealed interface Piece {}

    public record Text(String text) implements Piece {}

    /// @param argument what stands in parentheses; empty without any
    /// @param most characters of the value; 0 for all
    public record Operator(String name, String argument, int most) implements Piece {}

    public LogFormat {
        pieces = List.copyOf(pieces);
    }

    /// @throws IllegalArgumentException if it is none
    public static LogFormat parse(String format) {
        if (format.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("it is longer than " + MAX_LENGTH + " characters");
        }
        var pieces = new ArrayList<Piece>();
        var text = new StringBuilder();
        for (var at = 0; at < format.length(); ) {
            if (format.charAt(at) != '%') {
                text.append(format.charAt(at++));
            } else if (format.startsWith("%%", at)) {
                text.append('%');
                at += 2;
            } else {
                if (!text.isEmpty()) {
                    pieces.add(new Text(text.toString()));
                    text.setLength(0);
                }
                at = operator(format, at, pieces);
            }
        }
        if (!text.isEmpty()) {
            pieces.add(new Text(text.toString()));
        }
        return new LogFormat(pieces);
    }

    /// @return where it ends
    private static int operator(String format, int start, List<Piece> pieces) {
        var name = NAME.matcher(format).region(start + 1, format.length());
        if (!name.lookingAt()) {
            throw broken(format, start);
        }
        var at = name.end();
        var argument = at < format.length() && format.charAt(at) == '(';
        var end = (argument ? END : BARE_END).matcher(format).region(at, format.length());
        if (!(argument ? end.find() : end.lookingAt())) {
            throw broken(format, start);
        }
        pieces.add(new Operator(name.group(), argument ? format.substring(at + 1, end.start()) : "", most(end)));
        return end.end();
    }

    private static int most(Matcher end) {
        return end.group(1) == null ? 0 : Integer.parseInt(end.group(1));
    }

    private static IllegalArgumentException broken(String format, int start) {
        var shown = format.substring(start, Math.min(format.length(), start + 30));
        return new IllegalArgumentException(
                "\"" + shown + "\" begins no operator of the form %NAME%, %NAME(argument)% or %NAME(argument):LENGTH%");
    }

    /// Those that have no value here, each once.
    public List<String> unknown() {
        return pieces.stream()
                .filter(Operator.class::isInstance)
                .map(piece -> ((Operator) piece).name)
                .filter(name -> !OPERATORS.contains(name) && !EMPTY.contains(name))
                .distinct()
                .toList();
    }
}
