package dev.culvert.waypoint.trace;

import com.google.protobuf.ByteString;
import dev.culvert.protos.otlp.AnyValue;
import dev.culvert.protos.otlp.KeyValue;
import dev.culvert.protos.otlp.Span;
import dev.culvert.protos.otlp.SpanKind;
import dev.culvert.protos.otlp.Status;
import dev.culvert.protos.otlp.StatusCode;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One request's part of a trace: a server span, and in it a client span for each try. Confined to its loop.
public final class RequestTrace {
    /// Of requests that are not traced.
    public static final RequestTrace NONE = new RequestTrace();

    private final @Nullable SpanExporter exporter;
    private final @Nullable TraceContext context;
    private final Set<TraceHeaders> forms;
    private final Function<Function<String, @Nullable String>, Map<String, String>> custom;
    private final boolean sampled;
    private final String serverSpan;
    private final long startNanos = System.nanoTime();
    private final long startEpochNanos;
    private final List<Span.Builder> tries = new ArrayList<>(1);
    private String trySpan = "";

    private RequestTrace() {
        exporter = null;
        context = null;
        forms = Set.of();
        custom = _ -> Map.of();
        sampled = false;
        serverSpan = "";
        startEpochNanos = 0;
    }

    /// @param sampled whether somebody wants spans
    /// @param custom makes the tags that users have asked for, of headers
    RequestTrace(
            SpanExporter exporter,
            TraceHeaders.Received received,
            boolean sampled,
            Function<Function<String, @Nullable String>, Map<String, String>> custom) {
        this.exporter = exporter;
        this.context = received.context().orElseGet(() -> TraceContext.begun(sampled));
        this.forms = received.forms();
        this.sampled = sampled;
        this.custom = custom;
        serverSpan = TraceContext.newSpanId();
        var now = Instant.now();
        startEpochNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /// Whether somebody wants to know what becomes of it.
    public boolean isSampled() {
        return sampled;
    }

    /// Of the trace; empty without one.
    public String id() {
        return context == null ? "" : context.traceId();
    }

    /// Tags that users have asked for.
    /// @param header first value by name; null without
    public Map<String, String> custom(Function<String, @Nullable String> header) {
        return custom.apply(header);
    }

    /// Begins a try.
    /// @param attributes of its span
    public void tried(Map<String, String> attributes) {
        endTry(0, "");
        trySpan = TraceContext.newSpanId();
        if (sampled) {
            tries.add(span(trySpan, serverSpan, SpanKind.SPAN_KIND_CLIENT)
                    .setStartTimeUnixNano(now())
                    .addAllAttributes(all(attributes)));
        }
    }

    /// Tells the endpoint of the try whose part it is.
    public void onward(HttpHeaders headers) {
        if (context != null) {
            var by = context.by(trySpan.isEmpty() ? serverSpan : trySpan, sampled);
            forms.forEach(form -> form.write(headers, by, serverSpan));
        }
    }

    /// The try has been answered, or the next one begins.
    /// @param status 0 without an answer
    public void endTry(int status, String error) {
        if (!tries.isEmpty() && tries.getLast().getEndTimeUnixNano() == 0) {
            var last = tries.getLast();
            last.setEndTimeUnixNano(now());
            if (status > 0) {
                last.addAttributes(attribute("http.status_code", Integer.toString(status)));
            }
            fail(last, status, error);
        }
    }

    /// At the end of the request; once.
    /// @param name of the server span
    public void end(String name, int status, String error, Map<String, String> attributes) {
        if (exporter == null || context == null || !sampled) {
            return;
        }
        endTry(status, error);
        var server = span(serverSpan, context.spanId(), SpanKind.SPAN_KIND_SERVER)
                .setName(name)
                .setStartTimeUnixNano(startEpochNanos)
                .setEndTimeUnixNano(now())
                .addAllAttributes(all(attributes));
        fail(server, status, error);
        exporter.offer(server.build());
        for (var one : tries) {
            exporter.offer(one.setName(name).build());
        }
    }

    private static void fail(Span.Builder span, int status, String error) {
        if (status >= 500 || status == 0) {
            span.addAttributes(attribute("error", "true"))
                    .setStatus(Status.newBuilder()
                            .setCode(StatusCode.STATUS_CODE_ERROR)
                            .setMessage(error));
        }
    }

    private Span.Builder span(String id, String parent, SpanKind kind) {
        var span = Span.newBuilder()
                .setSpanId(bytes(id))
                .setParentSpanId(bytes(parent))
                .setKind(kind);
        return context == null
                ? span
                : span.setTraceId(bytes(context.traceId())).setTraceState(context.state());
    }

    private long now() {
        return startEpochNanos + System.nanoTime() - startNanos;
    }

    private static ByteString bytes(String hex) {
        return ByteString.copyFrom(HexFormat.of().parseHex(hex));
    }

    private static List<KeyValue> all(Map<String, String> attributes) {
        return attributes.entrySet().stream()
                .filter(one -> !one.getValue().isEmpty())
                .map(one -> attribute(one.getKey(), one.getValue()))
                .toList();
    }

    static KeyValue attribute(String key, String value) {
        return KeyValue.newBuilder()
                .setKey(key)
                .setValue(AnyValue.newBuilder().setStringValue(value))
                .build();
    }
}
