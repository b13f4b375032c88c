package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Workload;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What is going on at a cluster: requests, connections, who has failed. Shared by all loops; thread-safe.
public final class Cluster {
    private static final long HOUR_NANOS = 3_600_000_000_000L;

    private final ConcurrentHashMap<String, Host> hosts = new ConcurrentHashMap<>();
    private final AtomicInteger generation = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    /// Who waits for a connection to be closed; each goes back to its own loop.
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    private volatile @Nullable HostSet current;
    /// The one made before: two routes may use one cluster in two ways, such as one with sessions and one without.
    private volatile @Nullable HostSet before;

    private volatile Traffic.@Nullable Outlier judgedBy;

    /// What became of a try.
    public enum Outcome {
        ANSWERED,
        /// No connection, no answer, or none in time.
        FAILED
    }

    /// A host that was chosen.
    public record Chosen(Host host, Endpoint endpoint) {}

    /// @param self this waypoint, if the mesh knows it
    /// @param hash of the request's key; null without one
    /// @param tried workload uids not to choose again while there are others
    public Optional<Chosen> choose(
            MeshSnapshot mesh, ClusterSpec spec, @Nullable Workload self, @Nullable Long hash, Set<String> tried) {
        var now = System.nanoTime();
        if (!Objects.equals(spec.traffic().outlier(), judgedBy)) {
            forgive(spec.traffic().outlier());
        }
        var generationNow = generation.get();
        var set = current;
        if (set == null || !set.isOf(mesh, spec, generationNow, now)) {
            set = before;
        }
        if (set == null || !set.isOf(mesh, spec, generationNow, now)) {
            set = new HostSets(mesh, spec, self, now)
                    .make(generationNow, uid -> hosts.computeIfAbsent(uid, fresh -> new Host(fresh, born(now))));
            before = current;
            current = set;
            forget(set);
        }
        var member = set.choose(hash, tried);
        return member == null ? Optional.empty() : Optional.of(new Chosen(member.host(), member.endpoint()));
    }

    /// Another rule of ejection begins with everybody in good health.
    private synchronized void forgive(Traffic.@Nullable Outlier now) {
        if (!Objects.equals(now, judgedBy)) {
            hosts.values().forEach(Host::forgive);
            generation.incrementAndGet();
            judgedBy = now;
        }
    }

    /// The one endpoint of a pod that was called by its own address.
    public Chosen only(Endpoint endpoint) {
        var uid = endpoint.workload().uid();
        return new Chosen(hosts.computeIfAbsent(uid, fresh -> new Host(fresh, born(System.nanoTime()))), endpoint);
    }

    /// Whoever is there from the beginning needs no warming up.
    private long born(long now) {
        return current == null ? now - HOUR_NANOS : now;
    }

    private void forget(HostSet set) {
        if (hosts.size() > 2 * set.size() + 16) {
            hosts.values().removeIf(host -> host.active() == 0 && !host.isEjected(System.nanoTime()));
        }
    }

    // ---- limits ----

    /// @return false if there are too many already
    public boolean startRequest(int limit) {
        return take(requests, limit);
    }

    public void endRequest() {
        requests.decrementAndGet();
    }

    public boolean startPending(int limit) {
        return take(pending, limit);
    }

    public void endPending() {
        pending.decrementAndGet();
    }

    public boolean openConnection(int limit) {
        return take(connections, limit);
    }

    /// Lets one that waits try again.
    public void closedConnection() {
        connections.decrementAndGet();
        wakeOne();
    }

    private static boolean take(AtomicInteger counter, int limit) {
        if (counter.incrementAndGet() > limit) {
            counter.decrementAndGet();
            return false;
        }
        return true;
    }

    /// @param again called by any thread
    public void await(Runnable again) {
        waiting.add(again);
    }

    public void noLongerAwaits(Runnable again) {
        waiting.remove(again);
    }

    public boolean isAwaited() {
        return !waiting.isEmpty();
    }

    public void wakeOne() {
        var next = waiting.poll();
        if (next != null) {
            next.run();
        }
    }

    public boolean startRetry(Traffic traffic) {
        var most = traffic.pool().maxRetries();
        if (most < 0) {
            var budget = traffic.retryBudget();
            most = Math.max(budget.minConcurrency(), (int) (budget.percent() / 100 * (requests.get() + pending.get())));
        }
        return take(retries, most);
    }

    public void endRetry() {
        retries.decrementAndGet();
    }

    public int connections() {
        return connections.get();
    }

    public int requests() {
        return requests.get();
    }

    // ---- who has failed ----

    public void begin(Host host) {
        host.begin();
    }

    /// @param status of the answer, or what gRPC's status amounts to; of one that failed 503 or 504
    /// @return whether the host is ejected by it
    public boolean end(Host host, Traffic traffic, Outcome outcome, int status) {
        host.end();
        var outlier = traffic.outlier();
        if (outlier == null) {
            return false;
        }
        var failed = outcome == Outcome.FAILED;
        if (outlier.splitLocal() && failed) {
            return reached(host.localError(), outlier.consecutiveLocal()) && eject(host, outlier);
        }
        host.succeeded(true);
        if (status < 500) {
            host.succeeded(false);
            return false;
        }
        var gateway =
                status >= 502 && status <= 504 && reached(host.gatewayError(), outlier.consecutiveGatewayErrors());
        if (status < 502 || status > 504) {
            host.noGatewayError();
        }
        var any = reached(host.error(), outlier.consecutive5xx());
        return (gateway || any) && eject(host, outlier);
    }

    /// A try that was given up by its client says nothing of the host.
    public void abandon(Host host) {
        host.end();
    }

    private static boolean reached(int count, int threshold) {
        return threshold > 0 && count >= threshold;
    }

    /// As long as not too many are ejected already; one may always be.
    private synchronized boolean eject(Host host, Traffic.Outlier outlier) {
        var now = System.nanoTime();
        var set = current;
        if (host.isEjected(now) || set == null) {
            return false;
        }
        var ejected = hosts.values().stream().filter(one -> one.isEjected(now)).count();
        var most = outlier.maxPercent() == 0 ? 0 : Math.max(1, set.size() * outlier.maxPercent() / 100);
        if (ejected >= most) {
            return false;
        }
        host.eject(outlier, now);
        generation.incrementAndGet();
        return true;
    }

    /// An endpoint as it is at a moment.
    public record Seen(Endpoint endpoint, int activeRequests, long ejectedForNanos) {}

    /// For dumps: all endpoints, those that are ejected too.
    public List<Seen> seen(MeshSnapshot mesh, ClusterSpec spec) {
        var now = System.nanoTime();
        return new HostSets(mesh, spec, null, now)
                .members(uid -> hosts.getOrDefault(uid, new Host(uid, now))).stream()
                        .map(one -> new Seen(
                                one.endpoint(), one.host().active(), one.host().ejectedForNanos(now)))
                        .toList();
    }

    /// For tests.
    public boolean isEjected(String uid) {
        var host = hosts.get(uid);
        return host != null && host.isEjected(System.nanoTime());
    }

    /// Whether nothing of it is in use.
    boolean isIdle() {
        return requests.get() == 0 && connections.get() == 0 && waiting.isEmpty();
    }
}
