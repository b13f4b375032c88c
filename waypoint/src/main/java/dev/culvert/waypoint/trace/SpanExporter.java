package dev.culvert.waypoint.trace;

import com.google.protobuf.ByteString;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.protos.otlp.ExportTraceServiceRequest;
import dev.culvert.protos.otlp.InstrumentationScope;
import dev.culvert.protos.otlp.Resource;
import dev.culvert.protos.otlp.ResourceSpans;
import dev.culvert.protos.otlp.ScopeSpans;
import dev.culvert.protos.otlp.Span;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Spans behind a bounded queue, sent by a thread of their own: whoever makes them never waits, and what the collector
/// does not take is lost and counted. OTLP/HTTP with protobuf. Thread-safe.
public final class SpanExporter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("trace");
    private static final int QUEUE_SPANS = 4096;
    private static final int BATCH_SPANS = 512;
    private static final Duration GATHER = Duration.ofSeconds(1);
    private static final Duration QUIET = Duration.ofMinutes(1);

    public static final List<MetricFamily> FAMILIES = List.of(
            MetricFamily.counter("culvert_waypoint_spans_sent_total", "Spans that the collector has taken"),
            MetricFamily.counter(
                    "culvert_waypoint_spans_lost_total",
                    "Spans that were lost, because there were too many or the collector did not take them"));

    private final ArrayBlockingQueue<Span> queue = new ArrayBlockingQueue<>(QUEUE_SPANS);
    private final URI traces;
    private final TraceSettings settings;
    private final Send send;
    private final Counter sent;
    private final Counter lost;
    private final Thread sender;
    private long saidNanos;
    private volatile boolean closing;

    /// Sends a document.
    public interface Send {
        /// Fails if it is not answered with 2xx in time.
        CompletableFuture<?> post(URI to, String contentType, ByteString body, Duration bound);
    }

    /// @param endpoint of the collector
    public SpanExporter(URI endpoint, TraceSettings settings, Send send, MeterRegistry registry) {
        this(settings, URI.create(endpoint.toString().replaceFirst("/?$", "/v1/traces")), send, registry);
    }

    /// @param traces address of the collector, path included
    static SpanExporter to(URI traces, TraceSettings settings, Send send, MeterRegistry registry) {
        return new SpanExporter(settings, traces, send, registry);
    }

    private SpanExporter(TraceSettings settings, URI traces, Send send, MeterRegistry registry) {
        this.traces = traces;
        this.settings = settings;
        this.send = send;
        this.sent = registry.counter("culvert_waypoint_spans_sent_total");
        this.lost = registry.counter("culvert_waypoint_spans_lost_total");
        this.sender = Thread.ofVirtual().name("spans").start(this::run);
    }

    void offer(Span span) {
        if (!queue.offer(span)) {
            lost.increment();
        }
    }

    private void run() {
        var batch = new ArrayList<Span>();
        try {
            while (!closing || !queue.isEmpty()) {
                var first = queue.poll(100, TimeUnit.MILLISECONDS);
                if (first != null) {
                    gather(first, batch);
                    send(batch);
                    batch.clear();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void gather(Span first, List<Span> batch) throws InterruptedException {
        batch.add(first);
        var until = System.nanoTime() + GATHER.toNanos();
        while (batch.size() < BATCH_SPANS) {
            var left = closing ? 0 : until - System.nanoTime();
            var next = queue.poll(Math.min(left, 100_000_000L), TimeUnit.NANOSECONDS);
            if (next != null) {
                batch.add(next);
            } else if (left <= 0) {
                return;
            }
        }
    }

    private void send(List<Span> batch) throws InterruptedException {
        var body = ExportTraceServiceRequest.newBuilder()
                .addResourceSpans(ResourceSpans.newBuilder()
                        .setResource(resource())
                        .addScopeSpans(ScopeSpans.newBuilder()
                                .setScope(InstrumentationScope.newBuilder().setName("culvert-waypoint"))
                                .addAllSpans(batch)))
                .build();
        try {
            send.post(traces, "application/x-protobuf", body.toByteString(), settings.timeout())
                    .get();
            sent.increment(batch.size());
        } catch (ExecutionException failure) {
            lost.increment(batch.size());
            var now = System.nanoTime();
            if (saidNanos == 0 || now - saidNanos > QUIET.toNanos()) {
                saidNanos = now;
                LOG.warn(
                        "{} spans are lost: {} (said once a minute at most)",
                        batch.size(),
                        String.valueOf(failure.getCause()));
            }
        }
    }

    private Resource resource() {
        var resource = Resource.newBuilder();
        settings.resource().forEach((key, value) -> resource.addAttributes(RequestTrace.attribute(key, value)));
        return resource.build();
    }

    /// Sends what waits, for at most one call's time.
    @Override
    public void close() {
        closing = true;
        try {
            if (!sender.join(settings.timeout())) {
                sender.interrupt();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
