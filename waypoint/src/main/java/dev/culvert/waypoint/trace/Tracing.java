package dev.culvert.waypoint.trace;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Begins the trace's part of each request. Thread-safe.
public final class Tracing {
    /// Headers pass as they are.
    public static final Tracing OFF = new Tracing(0, null);

    private final double share;
    private final @Nullable SpanExporter exporter;

    /// @param share of the requests that nobody has decided of, 0 to 1
    /// @param exporter null for no traces
    public Tracing(double share, @Nullable SpanExporter exporter) {
        this.share = share;
        this.exporter = exporter;
    }

    /// @param header all values of a request's header
    public RequestTrace begin(Function<String, List<String>> header) {
        if (exporter == null) {
            return RequestTrace.NONE;
        }
        var received = TraceHeaders.receive(header);
        var decision = received.context().map(TraceContext::decision).orElse(TraceContext.Decision.NONE);
        var sampled =
                switch (decision) {
                    case SAMPLED -> true;
                    case NOT_SAMPLED -> false;
                    case NONE -> ThreadLocalRandom.current().nextDouble() < share;
                };
        return new RequestTrace(
                exporter, received.context().orElseGet(() -> TraceContext.begun(sampled)), received.forms(), sampled);
    }
}
