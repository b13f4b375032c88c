package dev.culvert.ztunnel.dns;

import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.dns.lookup.Found;
import dev.culvert.ztunnel.dns.lookup.NameLookup;
import dev.culvert.ztunnel.dns.message.Answers;
import dev.culvert.ztunnel.dns.message.BadMessageException;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.Rcode;
import dev.culvert.ztunnel.dns.message.RecordType;
import dev.culvert.ztunnel.dns.message.Reply;
import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/// Resolves names for one pod: what the mesh knows at once, the rest by asking others. Thread-safe.
public final class PodDns {
    private final Pod pod;
    private final DnsShared shared;
    private final AtomicInteger pending = new AtomicInteger();

    public PodDns(Pod pod, DnsShared shared) {
        this.pod = pod;
        this.shared = shared;
    }

    DnsShared shared() {
        return shared;
    }

    /// The bytes to send back; empty for none. Completes on `loop`, always well.
    CompletableFuture<Optional<byte[]>> respond(byte[] message, Transport transport, EventLoop loop) {
        Query query;
        try {
            query = Query.read(message);
        } catch (BadMessageException bad) {
            shared.metrics().malformed();
            return CompletableFuture.completedFuture(bad.answer());
        }
        var limit = transport == Transport.UDP ? query.udpLimit() : Answers.MAX_BYTES;
        return withinLimits(query, transport, loop)
                .handle((decided, failure) -> Optional.of(
                        failure == null ? decided.bytes(query, limit) : Answers.error(query, Rcode.SERVFAIL)));
    }

    /// The addresses of a name, IPv4 ones if there are any; none if nobody knows it. Completes on `loop`.
    public CompletableFuture<List<InetAddress>> addresses(String name, EventLoop loop) {
        return ask(name, RecordType.A, loop)
                .thenCompose(found ->
                        found.isEmpty() ? ask(name, RecordType.AAAA, loop) : CompletableFuture.completedFuture(found));
    }

    private CompletableFuture<List<InetAddress>> ask(String name, int type, EventLoop loop) {
        try {
            return withinLimits(Query.of(name, type), Transport.UDP, loop)
                    .handle((decided, failure) -> failure == null ? decided.addresses() : List.of());
        } catch (BadMessageException _) {
            return CompletableFuture.completedFuture(List.of());
        }
    }

    private CompletableFuture<Decided> withinLimits(Query query, Transport transport, EventLoop loop) {
        var limits = shared.settings().limits();
        if (!take(pending, limits.pendingOfPod())) {
            return limited("pod");
        }
        if (!take(shared.pending(), limits.pending())) {
            pending.decrementAndGet();
            return limited("process");
        }
        return pod.awaitWorkload(loop)
                .thenCompose(client -> decide(client, query, transport, loop))
                .whenComplete((_, _) -> {
                    pending.decrementAndGet();
                    shared.pending().decrementAndGet();
                });
    }

    private static boolean take(AtomicInteger taken, int limit) {
        return taken.getAndUpdate(count -> Math.min(limit, count + 1)) < limit;
    }

    private CompletableFuture<Decided> limited(String limit) {
        shared.metrics().limited(limit);
        return CompletableFuture.failedFuture(new Forward.NoAnswerException("too many questions wait"));
    }

    private CompletableFuture<Decided> decide(Workload client, Query query, Transport transport, EventLoop loop) {
        shared.metrics().asked(query, transport, client);
        var found = local(client, query);
        if (found.isEmpty()) {
            return forward(client, query, transport, loop);
        }
        DnsLog.line(client, query, found.get().result(), found.get().canonical() == null ? 0 : 1);
        return CompletableFuture.completedFuture(new Local(found.get()));
    }

    private Optional<Found> local(Workload client, Query query) {
        var type = query.type();
        if (query.dnsClass() != RecordType.IN
                || (type != RecordType.A && type != RecordType.AAAA)
                || !query.isHostname()) {
            return Optional.empty();
        }
        var mesh = pod.node().mesh().current();
        return new NameLookup(mesh, client, shared.settings().zone(), ThreadLocalRandom.current())
                .find(query.name(), type == RecordType.A);
    }

    private CompletableFuture<Decided> forward(Workload client, Query query, Transport transport, EventLoop loop) {
        var metrics = shared.metrics();
        metrics.forwarded(query, transport, client);
        var start = System.nanoTime();
        return new Forward(shared, pod.sockets(), loop, query, transport)
                .start()
                .whenComplete((reply, failure) -> {
                    metrics.took(query, transport, client, Duration.ofNanos(System.nanoTime() - start));
                    if (failure != null || reply.isUnhelpful()) {
                        metrics.failed(query, transport, client);
                        var why = failure == null ? reply.rcodeText() : failure.getMessage();
                        DnsLog.line(client, query, "forwarding failed (" + why + ")", 0);
                    } else {
                        DnsLog.line(client, query, "forwarded", reply.answers());
                    }
                })
                .thenApply(Passed::new);
    }

    private sealed interface Decided {
        byte[] bytes(Query query, int limit);

        List<InetAddress> addresses();
    }

    private record Local(Found found) implements Decided {
        @Override
        public byte[] bytes(Query query, int limit) {
            return Answers.local(query, found.canonical(), found.addresses(), limit);
        }

        @Override
        public List<InetAddress> addresses() {
            return found.addresses();
        }
    }

    private record Passed(Reply reply) implements Decided {
        @Override
        public byte[] bytes(Query query, int limit) {
            return reply.forClient(query, limit);
        }

        @Override
        public List<InetAddress> addresses() {
            return reply.addresses();
        }
    }
}
