package dev.culvert.proxy.telemetry;

import dev.culvert.mesh.model.workload.Workload;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.noop.NoopCounter;
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

    /// What is opened and moved never carries a flag.
    private static final Counter UNUSED =
            new NoopCounter(new Meter.Id("unused", Tags.empty(), null, null, Meter.Type.COUNTER));

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
                    uid(traffic.destination().workload()),
                    traffic.destination().identity(),
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
    }

    public void socketOpened(Traffic.Reporter reporter) {
        open(reporter).incrementAndGet();
    }

    public void socketClosed(Traffic.Reporter reporter) {
        open(reporter).decrementAndGet();
    }

    private AtomicLong open(Traffic.Reporter reporter) {
        return socketsOpen.computeIfAbsent(reporter, this::registerOpen);
    }

    private AtomicLong registerOpen(Traffic.Reporter reporter) {
        var open = new AtomicLong();
        Gauge.builder("istio_tcp_sockets_open", open, AtomicLong::get)
                .tag("reporter", reporter.label())
                .register(registry);
        return open;
    }

    /// The name of a workload without an address is looked up for `client`.
    public void nameLookedUp(Workload client, String hostname) {
        registry.counter(
                        "istio_on_demand_dns",
                        TrafficLabels.source(Traffic.Party.of(client)).and("hostname", hostname))
                .increment();
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
        var flagged = !key.flags.equals("-");
        return new Meters(
                flagged ? UNUSED : counter("istio_tcp_connections_opened", tags),
                counter("istio_tcp_connections_closed", tags),
                counter("istio_tcp_connections_failed", tags),
                flagged ? UNUSED : counter("istio_tcp_received_bytes", tags),
                flagged ? UNUSED : counter("istio_tcp_sent_bytes", tags));
    }

    private Counter counter(String name, Iterable<Tag> tags) {
        return Counter.builder(name).tags(tags).register(registry);
    }
}
