package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/// The addresses of workloads that have a DNS name only, from the system's resolver (which the JDK caches for 30 s).
/// At most four names are looked up at once and 1,000 wait. Thread-safe.
public final class HostNames implements AutoCloseable {
    private static final int LOOKUPS = 4;
    private static final int WAITING = 1000;

    private final ThreadPoolExecutor threads;
    private final Duration timeout;

    /// @param timeout bound of one lookup, waiting included
    public HostNames(Duration timeout) {
        this.timeout = timeout;
        this.threads = new ThreadPoolExecutor(
                LOOKUPS,
                LOOKUPS,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                Thread.ofPlatform().daemon().name("names-", 0).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /// One of the name's addresses, of the family of `like` if it has one. Completes on any thread; fails with
    /// UPSTREAM_CONNECT.
    public CompletableFuture<InetAddress> resolve(String hostname, InetAddress like, RandomGenerator random) {
        var result = new CompletableFuture<InetAddress>();
        try {
            threads.execute(() -> {
                try {
                    result.complete(pick(List.of(InetAddress.getAllByName(hostname)), like, random));
                } catch (UnknownHostException _) {
                    result.completeExceptionally(failed(hostname, "no such name"));
                }
            });
        } catch (RejectedExecutionException _) {
            return CompletableFuture.failedFuture(failed(hostname, WAITING + " lookups wait already"));
        }
        return result.orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(
                        failure instanceof TimeoutException
                                ? failed(hostname, "no answer within " + timeout.toSeconds() + " s")
                                : failure));
    }

    private static InetAddress pick(List<InetAddress> all, InetAddress like, RandomGenerator random) {
        var same = all.stream().filter(ip -> ip.getClass() == like.getClass()).toList();
        var from = same.isEmpty() ? all : same;
        return from.get(random.nextInt(from.size()));
    }

    private static ProxyException failed(String hostname, String why) {
        return ProxyException.of(FailureReason.UPSTREAM_CONNECT, "cannot resolve " + hostname + ": " + why);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
