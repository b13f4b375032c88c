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

    /// Null if there are too many, or it is none.
    public @Nullable SpanExporter of(Collector collector) {
        var found = known.get(collector);
        return found == null ? begin(collector) : found;
    }

    private synchronized @Nullable SpanExporter begin(Collector collector) {
        var found = exporters.get(collector);
        if (found != null) {
            return found;
        }
        var url = url(collector.getUrl());
        if (url == null || exporters.size() >= MAX_COLLECTORS) {
            if (!said) {
                LOG.warn(
                        "{} gets no spans: {}",
                        collector.getUrl(),
                        url == null ? "it is no address" : "there are " + MAX_COLLECTORS + " collectors already");
                said = true;
            }
            return null;
        }
        var timeout = collector.hasTimeout()
                ? Duration.ofSeconds(
                        collector.getTimeout().getSeconds(),
                        collector.getTimeout().getNanos())
                : settings.timeout();
        var begun = SpanExporter.to(url, settings.within(timeout), send, registry);
        exporters.put(collector, begun);
        known = Map.copyOf(exporters);
        return begun;
    }

    private static @Nullable URI url(String text) {
        try {
            var url = URI.create(text);
            return url.getHost() == null ? null : url;
        } catch (IllegalArgumentException none) {
            return null;
        }
    }

    @Override
    public void close() {
        List.copyOf(known.values()).forEach(SpanExporter::close);
    }
}
