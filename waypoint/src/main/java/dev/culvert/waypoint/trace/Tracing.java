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
    private final @Nullable SpanExporter own;
    private final Function<dev.culvert.protos.waypoint.Collector, @Nullable SpanExporter> others;
    private final Function<String, @Nullable String> environment;

    /// @param share of the requests that nobody has decided of, 0 to 1
    /// @param own where spans go if nobody says otherwise; null for nowhere
    public Tracing(double share, @Nullable SpanExporter own) {
        this(share, own, _ -> null, _ -> null);
    }

    /// @param others where they go if somebody does
    /// @param environment values for tags, by name
    public Tracing(
            double share,
            @Nullable SpanExporter own,
            Function<dev.culvert.protos.waypoint.Collector, @Nullable SpanExporter> others,
            Function<String, @Nullable String> environment) {
        this.share = share;
        this.own = own;
        this.others = others;
        this.environment = environment;
    }

    /// @param header all values of a request's header
    public RequestTrace begin(Function<String, List<String>> header, SpanRules rules) {
        var collector = rules.collector();
        var exporter = rules.disabled() ? null : collector == null ? own : others.apply(collector);
        if (exporter == null) {
            return RequestTrace.NONE;
        }
        var received = TraceHeaders.receive(header);
        var decision = received.context().map(TraceContext::decision).orElse(TraceContext.Decision.NONE);
        var sampled =
                switch (decision) {
                    case SAMPLED -> true;
                    case NOT_SAMPLED -> false;
                    case NONE -> ThreadLocalRandom.current().nextDouble() < rules.share(share);
                };
        return new RequestTrace(exporter, received, sampled, headers -> rules.tags(headers, environment));
    }
}
