package dev.culvert.waypoint.upstream;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// Addresses of hosts that the mesh knows by name only, looked up as the system does. What was found is used while it
/// is looked up again, and for ten minutes if that fails. At most one lookup of a host at a time. Thread-safe.
public final class HostLookup {
    static final int MANY = 1024;
    private static final int THREADS = 8;
    private static final long FRESH = Duration.ofSeconds(15).toNanos();
    private static final long USABLE = Duration.ofMinutes(10).toNanos();
    private static final long REFUSED = Duration.ofSeconds(1).toNanos();

    /// How a name is looked up; may block.
    public interface Resolver {
        List<InetAddress> addresses(String host) throws UnknownHostException;
    }

    /// @param untilNanos when it has to be looked up again
    /// @param usableUntilNanos when it may no longer be used
    private record Known(List<InetAddress> addresses, long untilNanos, long usableUntilNanos) {}

    private final Resolver resolver;
    private final Executor threads;
    private final LongSupplier nanoTime;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<List<InetAddress>>> running = new ConcurrentHashMap<>();

    public HostLookup(Resolver resolver, Executor threads, LongSupplier nanoTime) {
        this.resolver = resolver;
        this.threads = threads;
        this.nanoTime = nanoTime;
    }

    /// As the system looks names up: its files, then DNS.
    public static HostLookup ofSystem() {
        ThreadFactory named =
                Thread.ofPlatform().daemon().name("host-lookup-", 0).factory();
        var threads =
                new ThreadPoolExecutor(THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MANY), named);
        threads.allowCoreThreadTimeOut(true);
        return new HostLookup(host -> List.of(InetAddress.getAllByName(host)), threads, System::nanoTime);
    }

    /// At least one, in the order of the answer. Fails with a [ProxyException]; completes on any thread.
    CompletableFuture<List<InetAddress>> of(String host) {
        var literal = Addresses.parse(host);
        if (literal.isPresent()) {
            return CompletableFuture.completedFuture(List.of(literal.get()));
        }
        var now = nanoTime.getAsLong();
        var found = known.get(host);
        if (found == null || found.usableUntilNanos - now < 0) {
            return look(host);
        }
        if (found.untilNanos - now < 0) {
            look(host);
        }
        return found.addresses.isEmpty()
                ? failed("no address of " + host + " was found a moment ago")
                : CompletableFuture.completedFuture(found.addresses);
    }

    /// One by chance, of the family that the answer begins with, and one to try after it: of the other family if there
    /// is one.
    static List<InetAddress> two(List<InetAddress> addresses, RandomGenerator random) {
        var first = addresses.stream()
                .filter(one -> one.getClass() == addresses.getFirst().getClass())
                .toList();
        var begin = random.nextInt(first.size());
        var then = addresses.size() > first.size()
                ? addresses.stream()
                        .filter(one -> !first.contains(one))
                        .findFirst()
                        .orElse(first.getFirst())
                : first.get((begin + 1) % first.size());
        return Stream.of(first.get(begin), then).distinct().toList();
    }

    private CompletableFuture<List<InetAddress>> look(String host) {
        var mine = new CompletableFuture<List<InetAddress>>();
        var other = running.putIfAbsent(host, mine);
        if (other != null) {
            return other;
        }
        try {
            threads.execute(() -> run(host, mine));
        } catch (RuntimeException full) {
            running.remove(host, mine);
            mine.completeExceptionally(
                    ProxyException.of(FailureReason.LIMIT, "too many names are being looked up: " + host));
        }
        return mine;
    }

    private void run(String host, CompletableFuture<List<InetAddress>> result) {
        try {
            var addresses = List.copyOf(resolver.addresses(host));
            remember(host, addresses);
            running.remove(host, result);
            result.complete(addresses);
        } catch (UnknownHostException | RuntimeException missing) {
            rememberFailure(host);
            running.remove(host, result);
            result.completeExceptionally(ProxyException.of(
                    FailureReason.UPSTREAM_CONNECT, "no address of " + host + ": " + missing.getMessage()));
        }
    }

    private void remember(String host, List<InetAddress> addresses) {
        var now = nanoTime.getAsLong();
        makeRoom(now);
        known.put(host, new Known(addresses, now + FRESH, now + USABLE));
    }

    /// What was found before stands until it is too old.
    private void rememberFailure(String host) {
        var now = nanoTime.getAsLong();
        makeRoom(now);
        known.compute(
                host,
                (_, before) -> before == null || before.addresses.isEmpty() || before.usableUntilNanos - now < 0
                        ? new Known(List.of(), now + REFUSED, now + REFUSED)
                        : new Known(before.addresses, now + REFUSED, before.usableUntilNanos));
    }

    private void makeRoom(long now) {
        if (known.size() >= MANY) {
            known.values().removeIf(one -> one.untilNanos - now < 0);
        }
        if (known.size() >= MANY) {
            known.clear();
        }
    }

    private static CompletableFuture<List<InetAddress>> failed(String why) {
        return CompletableFuture.failedFuture(ProxyException.of(FailureReason.UPSTREAM_CONNECT, why));
    }
}
