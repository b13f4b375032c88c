package dev.culvert.waypoint.trace;

import dev.culvert.waypoint.trace.TraceContext.Decision;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// The headers by which a trace is told on: W3C Trace Context, and Zipkin's B3 in one header or in several. A header
/// that is not well-formed, or comes twice, counts as absent.
enum TraceHeaders {
    /// <https://www.w3.org/TR/trace-context/#traceparent-header>
    W3C {
        @Override
        Optional<TraceContext> read(Function<String, List<String>> header) {
            var parent = one(header, "traceparent");
            var parts = parent.split("-", -1);
            var known = parts.length == 4 || (parts.length > 4 && !parts[0].equals("00"));
            if (!known
                    || parts[0].length() != 2
                    || !isHex(parts[0])
                    || parts[0].equals("ff")
                    || parts[3].length() != 2
                    || !isHex(parts[3])) {
                return Optional.empty();
            }
            var sampled = (Character.digit(parts[3].charAt(1), 16) & 1) == 1;
            var state = String.join(",", header.apply("tracestate"));
            return context(
                    parts[1],
                    parts[2],
                    sampled ? Decision.SAMPLED : Decision.NOT_SAMPLED,
                    state.length() > TraceContext.MAX_STATE ? "" : state);
        }

        @Override
        void write(HttpHeaders to, TraceContext context, String parent) {
            to.set(
                    "traceparent",
                    "00-" + context.traceId() + "-" + context.spanId() + (context.sampled() ? "-01" : "-00"));
            if (context.state().isEmpty()) {
                to.remove("tracestate");
            } else {
                to.set("tracestate", context.state());
            }
        }
    },

    /// `b3: trace-span-sampled-parent`, the last two optional; `b3: 0` says only that nobody wants spans.
    B3_SINGLE {
        @Override
        Optional<TraceContext> read(Function<String, List<String>> header) {
            var parts = one(header, "b3").split("-", -1);
            if (parts.length < 2 || parts.length > 4) {
                return Optional.empty();
            }
            return context(wide(parts[0]), parts[1], parts.length == 2 ? Decision.NONE : b3(parts[2]), "");
        }

        @Override
        void write(HttpHeaders to, TraceContext context, String parent) {
            to.set(
                    "b3",
                    context.traceId() + "-" + context.spanId() + (context.sampled() ? "-1" : "-0")
                            + (parent.isEmpty() ? "" : "-" + parent));
        }
    },

    /// `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled`, `x-b3-flags` (1: debug).
    B3_MULTI {
        @Override
        Optional<TraceContext> read(Function<String, List<String>> header) {
            var debug = one(header, "x-b3-flags").equals("1");
            return context(
                    wide(one(header, "x-b3-traceid")),
                    one(header, "x-b3-spanid"),
                    debug ? Decision.SAMPLED : b3(one(header, "x-b3-sampled")),
                    "");
        }

        @Override
        void write(HttpHeaders to, TraceContext context, String parent) {
            to.set("x-b3-traceid", context.traceId());
            to.set("x-b3-spanid", context.spanId());
            to.set("x-b3-sampled", context.sampled() ? "1" : "0");
            if (parent.isEmpty()) {
                to.remove("x-b3-parentspanid");
            } else {
                to.set("x-b3-parentspanid", parent);
            }
        }
    };

    /// What came, and how.
    /// @param forms in which it goes on: those that came, W3C's if none did
    record Received(Optional<TraceContext> context, Set<TraceHeaders> forms) {}

    abstract Optional<TraceContext> read(Function<String, List<String>> header);

    /// @param parent span that came in; empty at the root
    abstract void write(HttpHeaders to, TraceContext context, String parent);

    /// The first well-formed one counts, in the order of the constants.
    /// @param header all values of a header
    static Received receive(Function<String, List<String>> header) {
        var forms = EnumSet.noneOf(TraceHeaders.class);
        Optional<TraceContext> found = Optional.empty();
        for (var form : values()) {
            var one = form.read(header);
            if (one.isPresent()) {
                forms.add(form);
                found = found.isPresent() ? found : one;
            }
        }
        return new Received(found, forms.isEmpty() ? EnumSet.of(W3C) : forms);
    }

    private static String one(Function<String, List<String>> header, String name) {
        var values = header.apply(name);
        return values.size() == 1 ? values.getFirst().strip() : "";
    }

    private static Decision b3(String sampled) {
        return switch (sampled.toLowerCase(Locale.ROOT)) {
            case "1", "d", "true" -> Decision.SAMPLED;
            case "0", "false" -> Decision.NOT_SAMPLED;
            default -> Decision.NONE;
        };
    }

    /// B3 knows trace ids of half the length.
    private static String wide(String traceId) {
        return traceId.length() == 16 ? "0".repeat(16) + traceId : traceId;
    }

    private static Optional<TraceContext> context(String trace, String span, Decision decision, String state) {
        return isId(trace, 32) && isId(span, 16)
                ? Optional.of(new TraceContext(trace, span, decision, state))
                : Optional.empty();
    }

    private static boolean isId(String text, int digits) {
        return text.length() == digits && isHex(text) && text.chars().anyMatch(c -> c != '0');
    }

    private static boolean isHex(String text) {
        return text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }
}
