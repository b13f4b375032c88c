package dev.culvert.proxy.xds;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.proxy.mesh.Lookup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The addresses that were asked for by name. A name stays subscribed, so that it is asked for once; those that
/// name nothing are given up again, oldest first, when there are many. Thread-safe: guarded by this.
public final class Demand implements Lookup {
    private static final int MAX_NAMES = 20_000;

    private final Duration timeout;
    private final Map<String, CompletableFuture<Boolean>> asked = new LinkedHashMap<>(64, 0.75f, true);
    private @Nullable Consumer<DeltaDiscoveryRequest> stream;

    /// @param timeout how long a connection waits for an answer
    public Demand(Duration timeout) {
        this.timeout = timeout;
    }

    @Override
    public boolean isNeeded() {
        return true;
    }

    @Override
    public CompletableFuture<Collection<String>> fetch(Collection<String> names) {
        var answers = new ArrayList<CompletableFuture<Boolean>>();
        var fresh = new ArrayList<String>();
        synchronized (this) {
            for (var name : names) {
                answers.add(asked.computeIfAbsent(name, _ -> {
                    fresh.add(name);
                    return new CompletableFuture<>();
                }));
            }
            if (!fresh.isEmpty()) {
                ask(fresh);
            }
        }
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(_ -> names)
                .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(
                        failure instanceof TimeoutException ? unanswered(names) : ProxyException.of(failure)));
    }

    private ProxyException unanswered(Collection<String> names) {
        return ProxyException.of(
                FailureReason.UNKNOWN_WORKLOAD,
                "the control plane has not said within " + timeout.toSeconds() + " s what " + String.join(", ", names)
                        + " is");
    }

    private void ask(List<String> names) {
        if (stream != null) {
            var request = DeltaDiscoveryRequest.newBuilder()
                    .setTypeUrl(MeshResources.ADDRESS)
                    .addAllResourceNamesSubscribe(names);
            stream.accept(request.addAllResourceNamesUnsubscribe(surplus(names.size()))
                    .build());
        }
    }

    /// Names with an answer, least recently used first.
    private List<String> surplus(int room) {
        var out = new ArrayList<String>();
        if (asked.size() > MAX_NAMES) {
            for (var entry : asked.entrySet()) {
                if (entry.getValue().isDone() && out.size() < room) {
                    out.add(entry.getKey());
                }
            }
            out.forEach(asked::remove);
        }
        return out;
    }

    /// The first request of a stream: nothing of all, and what was asked for before.
    /// @param held versions of what we have
    synchronized DeltaDiscoveryRequest.Builder subscribe(Map<String, String> held) {
        var request = DeltaDiscoveryRequest.newBuilder()
                .addResourceNamesSubscribe("*")
                .addAllResourceNamesSubscribe(asked.keySet())
                .addResourceNamesUnsubscribe("*")
                .putAllInitialResourceVersions(held);
        asked.keySet().forEach(name -> {
            if (!held.containsKey(name)) {
                request.putInitialResourceVersions(name, "");
            }
        });
        return request;
    }

    /// @param requests of the stream that has begun; null when it has ended
    synchronized void stream(@Nullable Consumer<DeltaDiscoveryRequest> requests) {
        stream = requests;
    }

    /// After a response was applied.
    void answered(DeltaDiscoveryResponse response) {
        var done = new ArrayList<CompletableFuture<Boolean>>();
        synchronized (this) {
            response.getRemovedResourcesList().forEach(name -> add(done, name));
            for (var resource : response.getResourcesList()) {
                add(done, resource.getName());
                resource.getAliasesList().forEach(name -> add(done, name));
            }
        }
        done.forEach(answer -> answer.complete(true));
    }

    private void add(List<CompletableFuture<Boolean>> to, String name) {
        var answer = asked.get(name);
        if (answer != null) {
            to.add(answer);
        }
    }
}
