package dev.culvert.waypoint.telemetry;

import com.google.re2j.Pattern;
import dev.culvert.mesh.model.telemetry.Expression;
import dev.culvert.mesh.model.telemetry.LogFormat;
import dev.culvert.waypoint.telemetry.AccessEntry.Of;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What Envoy's operators say of an entry: a text, a number, or null for what is not known.
/// Source: Envoy's manual, "Access logging", "Command operators".
final class Operators {
    private static final Map<String, Function<AccessEntry, ?>> SIMPLE = Map.ofEntries(
            Map.entry("BYTES_RECEIVED", entry -> entry.request().received()),
            Map.entry("BYTES_SENT", entry -> entry.answer().sent()),
            Map.entry("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", entry -> entry.peers().source()),
            Map.entry(
                    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
                    entry -> host(entry.peers().source())),
            Map.entry("DOWNSTREAM_LOCAL_ADDRESS", entry -> entry.peers().dialled()),
            Map.entry(
                    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
                    entry -> host(entry.peers().dialled())),
            Map.entry("DOWNSTREAM_LOCAL_PORT", entry -> port(entry.peers().dialled())),
            Map.entry("DOWNSTREAM_PEER_URI_SAN", Operators::identity),
            Map.entry("DOWNSTREAM_REMOTE_ADDRESS", entry -> entry.peers().source()),
            Map.entry(
                    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
                    entry -> host(entry.peers().source())),
            Map.entry("DOWNSTREAM_REMOTE_PORT", entry -> port(entry.peers().source())),
            Map.entry("DURATION", entry -> entry.took().toMillis()),
            Map.entry("GRPC_STATUS_NUMBER", Operators::grpcNumber),
            Map.entry("PROTOCOL", entry -> entry.request().protocol()),
            Map.entry("REQUEST_DURATION", entry -> millis(entry.request().wholeNanos())),
            Map.entry("REQUEST_HEADERS_BYTES", entry -> entry.request().headerBytes()),
            Map.entry("RESPONSE_CODE", entry -> entry.answer().status()),
            Map.entry("RESPONSE_CODE_DETAILS", Operators::details),
            Map.entry("RESPONSE_DURATION", entry -> millis(entry.answer().begunNanos())),
            Map.entry("RESPONSE_FLAGS", entry -> entry.answer().flags()),
            Map.entry("RESPONSE_HEADERS_BYTES", entry -> entry.answer().headerBytes()),
            Map.entry("RESPONSE_TX_DURATION", Operators::answering),
            Map.entry("ROUTE_NAME", AccessEntry::route),
            Map.entry("TRACE_ID", AccessEntry::trace),
            Map.entry("UPSTREAM_CLUSTER", entry -> entry.upstream().cluster()),
            Map.entry("UPSTREAM_CLUSTER_RAW", entry -> entry.upstream().cluster()),
            Map.entry("UPSTREAM_HOST", entry -> entry.upstream().host()),
            Map.entry("UPSTREAM_REMOTE_ADDRESS", entry -> entry.upstream().host()),
            Map.entry(
                    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
                    entry -> host(entry.upstream().host())),
            Map.entry("UPSTREAM_REMOTE_PORT", entry -> port(entry.upstream().host())),
            Map.entry(
                    "UPSTREAM_REQUEST_ATTEMPT_COUNT", entry -> entry.upstream().tries()));

    private static final String[] GRPC = {
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated"
    };

    private Operators() {}

    /// One that is ready to be asked again and again.
    interface Operator {
        @Nullable
        Object of(AccessEntry entry);
    }

    static Operator of(LogFormat.Operator said) {
        var simple = SIMPLE.get(said.name());
        Operator whole = simple == null ? withArgument(said.name(), said.argument()) : simple::apply;
        return entry -> {
            var value = whole.of(entry);
            if (!(value instanceof String text)) {
                return value;
            }
            var shown = said.most() > 0 && text.length() > said.most() ? text.substring(0, said.most()) : text;
            return shown.isEmpty() ? null : shown;
        };
    }

    private static Operator withArgument(String name, String argument) {
        return switch (name) {
            case "START_TIME" -> entry -> StartTime.text(entry.start(), argument);
            case "REQ" -> either(argument, Of.REQUEST);
            case "RESP" -> either(argument, Of.ANSWER);
            case "TRAILER" -> either(argument, Of.TRAILER);
            case "GRPC_STATUS" -> entry -> grpc(entry, argument);
            case "FILTER_STATE" -> state(argument.split(":", 3));
            case "CEL" -> cel(argument);
            default -> _ -> null;
        };
    }

    /// The header, or the one behind `?` where there is none.
    private static Operator either(String argument, Of of) {
        var names = argument.toLowerCase(Locale.ROOT).split("\\?", 2);
        return entry -> {
            var first = header(entry, of, names[0]);
            return first.isEmpty() && names.length > 1 ? header(entry, of, names[1]) : first;
        };
    }

    private static String header(AccessEntry entry, Of of, String name) {
        if (of == Of.REQUEST) {
            switch (name) {
                case ":method" -> {
                    return entry.request().method();
                }
                case ":path" -> {
                    return entry.request().path();
                }
                case ":authority" -> {
                    return entry.request().authority();
                }
                case ":scheme" -> {
                    return entry.request().scheme();
                }
                default -> {}
            }
        }
        var found = entry.header(of, name);
        var took = entry.answer().upstreamNanos();
        return found.isEmpty() && of == Of.ANSWER && name.equals("x-envoy-upstream-service-time") && took >= 0
                ? Long.toString(TimeUnit.NANOSECONDS.toMillis(took))
                : found;
    }

    /// Istio's own keys: the peers, as a whole or a field of them, and the caller's identity.
    private static Operator state(String[] argument) {
        var key = argument[0].startsWith("wasm.") ? argument[0].substring(5) : argument[0];
        if (key.equals("io.istio.peer_principal")) {
            return Operators::identity;
        }
        if (!key.equals("upstream_peer") && !key.equals("downstream_peer")) {
            return _ -> null;
        }
        var field = argument.length == 3 && argument[1].equals("FIELD") ? argument[2] : "";
        return entry -> {
            var of = new RequestAttributes(entry);
            if (!field.isEmpty()) {
                return of.value(key + "." + field);
            }
            var workload = of.value(key + ".workload");
            return workload == null ? null : of.value(key + ".namespace") + "/" + workload;
        };
    }

    private static Operator cel(String text) {
        try {
            var expression = Expression.parse(text, Operators::regex);
            return entry -> expression.evaluate(new RequestAttributes(entry)) instanceof Expression.Result.Value value
                    ? value.text()
                    : null;
        } catch (IllegalArgumentException broken) { // its author has been told
            return _ -> null;
        }
    }

    static Predicate<String> regex(String pattern) {
        var compiled = Pattern.compile(pattern);
        return text -> compiled.matcher(text).find();
    }

    private static @Nullable Object identity(AccessEntry entry) {
        var who = entry.peers().identity();
        return who == null ? null : who.toString();
    }

    private static String details(AccessEntry entry) {
        var said = entry.answer().details();
        return said.equals("-") ? "" : said.replace(' ', '_');
    }

    private static @Nullable Object answering(AccessEntry entry) {
        var begun = entry.answer().begunNanos();
        return begun < 0 ? null : millis(entry.took().toNanos() - begun);
    }

    private static @Nullable Object millis(long nanos) {
        return nanos < 0 ? null : TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    static @Nullable Object grpcNumber(AccessEntry entry) {
        var said = entry.answer().grpcStatus();
        return said.matches("[0-9]{1,9}") ? Long.parseLong(said) : null;
    }

    private static @Nullable Object grpc(AccessEntry entry, String form) {
        var number = grpcNumber(entry);
        if (!(number instanceof Long code) || form.equals("NUMBER")) {
            return number;
        }
        if (code >= GRPC.length) {
            return "InvalidCode";
        }
        var name = GRPC[code.intValue()];
        return form.equals("SNAKE_STRING")
                ? name.replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT)
                : name;
    }

    static String host(String address) {
        var colon = address.lastIndexOf(':');
        var host = colon < 0 ? address : address.substring(0, colon);
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    static @Nullable Object port(String address) {
        var colon = address.lastIndexOf(':');
        return colon < 0 ? null : Long.parseLong(address.substring(colon + 1));
    }
}
