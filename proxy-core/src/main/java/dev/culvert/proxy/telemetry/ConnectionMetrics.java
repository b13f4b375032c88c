package dev.culvert.proxy.telemetry;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Workload;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.noop.NoopCounter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Istio's TCP metrics. A connection resolves its meters once. Thread-safe.
public final class ConnectionMetrics {
    /// Label sets kept; further ones are not counted by label any more, only in
    /// `culvert_metric_label_overflow_total`.
    private static final int MAX_LABEL_SETS = 20_000;

    private static final Duration SWEEP = Duration.ofMinutes(5);

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

        boolean isCurrent(MeshSnapshot mesh) {
            return isCurrent(traffic.source().workload(), mesh)
                    && isCurrent(traffic.destination().workload(), mesh);
        }

        private static boolean isCurrent(@Nullable Workload workload, MeshSnapshot mesh) {
            return workload == null
                    || mesh.workload(workload.uid()).filter(workload::equals).isPresent();
        }

        private static String uid(@Nullable Workload workload) {
            return workload == null ? "" : workload.uid();
        }
    }

    /// The counters of one label set; `users` counts the connections that will still add to them.
    private record Meters(
            Counter opened, Counter closed, Counter failed, Counter received, Counter sent, AtomicLong users) {
        List<Counter> all() {
            return List.of(opened, closed, failed, received, sent);
        }
    }

    private final MeterRegistry registry;
    private final InstantSource clock;
    private final Map<Key, Meters> meters = new ConcurrentHashMap<>();
    private final Counter overflow;
    /// Pods of one Deployment have one label set. This and what follows is guarded by `this`.
    private final Map<Tags, Meters> byLabels = new HashMap<>();

    private Set<Key> outdated = Set.of();
    private Instant swept;

    private final Map<Traffic.Reporter, AtomicLong> socketsOpen = new ConcurrentHashMap<>();

    public ConnectionMetrics(MeterRegistry registry) {
        this(registry, InstantSource.system());
    }

    ConnectionMetrics(MeterRegistry registry, InstantSource clock) {
        this.registry = registry;
        this.clock = clock;
        this.swept = clock.instant();
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
            if (of != null) {
                of.users.incrementAndGet();
            }
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
            if (of != null) {
                of.users.decrementAndGet();
            }
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
        return register(key);
    }

    private synchronized Meters register(Key key) {
        var of = byLabels.computeIfAbsent(TrafficLabels.of(key.traffic, key.flags), tags -> meters(tags, key.flags));
        meters.put(key, of);
        return of;
    }

    private Meters meters(Tags tags, String flags) {
        var flagged = !flags.equals("-");
        return new Meters(
                flagged ? UNUSED : counter("istio_tcp_connections_opened", tags),
                counter("istio_tcp_connections_closed", tags),
                counter("istio_tcp_connections_failed", tags),
                flagged ? UNUSED : counter("istio_tcp_received_bytes", tags),
                flagged ? UNUSED : counter("istio_tcp_sent_bytes", tags),
                new AtomicLong());
    }

    /// Lets go of label sets whose workloads are all gone, so that pods that come and go use up neither memory
    /// nor the limit. Looks once in [#SWEEP], and a set goes when it is found so twice: somebody may still have to
    /// read its last values.
    public synchronized void forgetGone(MeshSnapshot mesh) {
        var now = clock.instant();
        if (now.isBefore(swept.plus(SWEEP))) {
            return;
        }
        swept = now;
        var found = meters.keySet().stream().filter(key -> !key.isCurrent(mesh)).collect(Collectors.toSet());
        found.stream().filter(outdated::contains).forEach(meters::remove);
        found.removeAll(outdated);
        outdated = found;
        var inUse = Collections.<Meters>newSetFromMap(new IdentityHashMap<>());
        inUse.addAll(meters.values());
        byLabels.values().removeIf(of -> {
            var unused = of.users.get() == 0 && !inUse.contains(of);
            if (unused) {
                of.all().forEach(registry::remove);
            }
            return unused;
        });
    }

    private Counter counter(String name, Iterable<Tag> tags) {
        return Counter.builder(name).tags(tags).register(registry);
    }
}
