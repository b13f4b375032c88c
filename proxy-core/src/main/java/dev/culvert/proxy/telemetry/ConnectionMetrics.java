package dev.culvert.proxy.telemetry;

import dev.culvert.mesh.model.workload.Workload;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Istio's TCP metrics. A connection resolves its meters once. Thread-safe.
public final class ConnectionMetrics {
    /// Label sets kept; further ones are not counted by label any more, only in
    /// `culvert_metric_label_overflow_total`.
    private static final int MAX_LABEL_SETS = 20_000;

    private record Key(Traffic traffic, String flags) {
        /// Of what tells traffic apart, and cheap: whole workloads are compared only where this is equal.
        @Override
        public int hashCode() {
            var source = traffic.source();
            var service = traffic.service();
            return Objects.hash(
                    flags,
                    traffic.reporter(),
                    uid(source.workload()),
                    source.identity(),
                    uid(traffic.destination()),
                    service == null ? "" : service.hostname());
        }

        private static String uid(@Nullable Workload workload) {
            return workload == null ? "" : workload.uid();
        }
    }

    /// The counters of one kind of connection.
    private record Meters(Counter opened, Counter closed, Counter failed, Counter received, Counter sent) {}

    private final MeterRegistry registry;
    private final Map<Key, Meters> meters = new ConcurrentHashMap<>();
    private final Counter overflow;
    private final Map<Traffic.Reporter, AtomicLong> socketsOpen = new ConcurrentHashMap<>();

    public ConnectionMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.overflow = registry.counter("culvert_metric_label_overflow");
        for (var reporter : Traffic.Reporter.values()) {
            var open = new AtomicLong();
            socketsOpen.put(reporter, open);
            Gauge.builder("istio_tcp_sockets_open", open, AtomicLong::get)
                    .tag("reporter", reporter.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
    }

    public void socketOpened(Traffic.Reporter reporter) {
        open(reporter).incrementAndGet();
    }

    public void socketClosed(Traffic.Reporter reporter) {
        open(reporter).decrementAndGet();
    }

    private AtomicLong open(Traffic.Reporter reporter) {
        return socketsOpen.computeIfAbsent(reporter, _ -> new AtomicLong());
    }

    /// Counts a connection as opened.
    public Connection opened(Traffic traffic) {
        var of = meters(traffic, "-");
        if (of != null) {
            of.opened.increment();
        }
        return new Connection(traffic, of);
    }

    /// One connection's meters. Thread-safe.
    public final class Connection {
        private final Traffic traffic;
        private final @Nullable Meters of;

        private Connection(Traffic traffic, @Nullable Meters of) {
            this.traffic = traffic;
            this.of = of;
        }

        /// @param received bytes from client to server since the last call
        /// @param sent bytes from server to client since the last call
        public void bytes(long received, long sent) {
            if (of != null && received + sent > 0) {
                of.received.increment((double) received);
                of.sent.increment((double) sent);
            }
        }

        /// @param flags `-`, or why it failed
        public void closed(String flags) {
            var at = flags.equals("-") ? of : meters(traffic, flags);
            if (at != null) {
                at.closed.increment();
                if (!flags.equals("-")) {
                    at.failed.increment();
                }
            }
        }
    }

    private @Nullable Meters meters(Traffic traffic, String flags) {
        var key = new Key(traffic, flags);
        var found = meters.get(key);
        if (found != null) {
            return found;
        }
        if (meters.size() >= MAX_LABEL_SETS) {
            overflow.increment();
            return null;
        }
        return meters.computeIfAbsent(key, this::register);
    }

    private Meters register(Key key) {
        var tags = TrafficLabels.of(key.traffic, key.flags);
        return new Meters(
                counter("istio_tcp_connections_opened", "connections opened", tags),
                counter("istio_tcp_connections_closed", "connections closed", tags),
                counter("istio_tcp_connections_failed", "connections failed", tags),
                counter("istio_tcp_received_bytes", "bytes from client to server", tags),
                counter("istio_tcp_sent_bytes", "bytes from server to client", tags));
    }

    private Counter counter(String name, String help, Iterable<Tag> tags) {
        return Counter.builder(name).description(help).tags(tags).register(registry);
    }
}
