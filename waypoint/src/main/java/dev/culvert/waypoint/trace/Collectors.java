package dev.culvert.waypoint.trace;

import dev.culvert.protos.waypoint.Collector;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The collectors that Telemetry objects name, each with its own queue. Thread-safe.
public final class Collectors implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("trace");
    /// Spans for further ones are not made.
    private static final int MAX_COLLECTORS = 16;

    private final Map<Collector, SpanExporter> exporters = new HashMap<>();
    private final TraceSettings settings;
    private final SpanExporter.Send send;
    private final MeterRegistry registry;
    private volatile Map<Collector, SpanExporter> known = Map.of();
    private boolean said;

    public Collectors(TraceSettings settings, SpanExporter.Send send, MeterRegistry registry) {
        this.settings = settings;
        this.send = send;
        this.registry = registry;
    }

    /// Null if there are too many.
    public @Nullable SpanExporter of(Collector collector) {
        var found = known.get(collector);
        return found == null ? begin(collector) : found;
    }

    private synchronized @Nullable SpanExporter begin(Collector collector) {
        var found = exporters.get(collector);
        if (found != null) {
            return found;
        }
        if (exporters.size() >= MAX_COLLECTORS) {
            if (!said) {
                LOG.warn("{} gets no spans: there are {} collectors already", collector.getUrl(), MAX_COLLECTORS);
                said = true;
            }
            return null;
        }
        var timeout = collector.hasTimeout()
                ? Duration.ofSeconds(
                        collector.getTimeout().getSeconds(),
                        collector.getTimeout().getNanos())
                : settings.timeout();
        var begun = SpanExporter.to(URI.create(collector.getUrl()), settings.within(timeout), send, registry);
        exporters.put(collector, begun);
        known = Map.copyOf(exporters);
        return begun;
    }

    @Override
    public void close() {
        List.copyOf(known.values()).forEach(SpanExporter::close);
    }
}
