package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import dev.culvert.protos.discovery.Node;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The conversation with one gRPC client that needs no proxy. gRPC's threads and [#wake] only put events into a
/// bounded queue; one virtual thread does the rest. One response of a type is under way at a time.
final class GrpcStream implements Client, StreamObserver<DiscoveryRequest> {
    private static final Logger LOG = LoggerFactory.getLogger("xds");
    private static final int QUEUE = 256;
    private static final int MAX_NAMES = 2_000;
    private static final int MAX_NAME = 512;

    private sealed interface Event {
        record Request(DiscoveryRequest request) implements Event {}

        record Wake() implements Event {}

        record End() implements Event {}
    }

    private final XdsServer server;
    private final ServerCallStreamObserver<DiscoveryResponse> responses;
    private final Optional<Caller> caller;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicBoolean awake = new AtomicBoolean();
    private final Map<String, Wanted> wanted = new ConcurrentHashMap<>();
    private Optional<Node> node = Optional.empty();
    private volatile String name = "unknown";
    private volatile String lastNack = "";
    private volatile List<String> findings = List.of();
    private boolean ended;

    /// @param caller whose token or certificate came with the call
    GrpcStream(XdsServer server, ServerCallStreamObserver<DiscoveryResponse> responses, Optional<Caller> caller) {
        this.server = server;
        this.responses = responses;
        this.caller = caller;
        responses.setOnCancelHandler(() -> put(new Event.End()));
    }

    @Override
    public void start() {
        Thread.ofVirtual().name("grpc-client").start(this::run);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void wake() {
        if (awake.compareAndSet(false, true)) {
            put(new Event.Wake());
        }
    }

    @Override
    public void onNext(DiscoveryRequest request) {
        put(new Event.Request(request));
    }

    @Override
    public void onError(Throwable cause) {
        put(new Event.End());
    }

    @Override
    public void onCompleted() {
        put(new Event.End());
    }

    private void put(Event event) {
        if (!events.offer(event)) {
            LOG.warn("client {} sends faster than it is served; its stream is ended", name);
            events.clear();
            events.add(new Event.End());
        }
    }

    private void run() {
        try {
            while (!ended) {
                handle(events.take());
                push();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IllegalArgumentException bad) {
            LOG.warn("client {}: {}", name, bad.getMessage());
            responses.onError(
                    Status.INVALID_ARGUMENT.withDescription(bad.getMessage()).asRuntimeException());
        } catch (SecurityException notItself) {
            LOG.warn("client {}: {}", name, notItself.getMessage());
            responses.onError(Status.PERMISSION_DENIED
                    .withDescription("the node's namespace is not that of the caller")
                    .asRuntimeException());
        } catch (RuntimeException failed) {
            LOG.debug("client {} ended", name, failed);
        } finally {
            server.ended(this);
        }
    }

    private void handle(Event event) {
        switch (event) {
            case Event.Request(var request) -> request(request);
            case Event.Wake() -> awake.set(false);
            case Event.End() -> {
                ended = true;
                if (!responses.isCancelled()) {
                    responses.onCompleted();
                }
            }
        }
    }

    private void request(DiscoveryRequest request) {
        if (request.hasNode() && node.isEmpty()) {
            NodeId.of(request.getNode().getId(), caller);
            node = Optional.of(request.getNode());
            name = request.getNode().getId();
        }
        if (node.isEmpty()) {
            throw new IllegalArgumentException("the first request names no node");
        }
        var type = request.getTypeUrl();
        if (!GrpcMesh.TYPES.contains(type)) {
            LOG.warn("client {} asks for {}, which is not served", name, type);
            return;
        }
        limit(request);
        if (!wanted.computeIfAbsent(type, Wanted::new).change(request)) {
            return;
        }
        if (request.hasErrorDetail()) {
            lastNack = request.getErrorDetail().getMessage();
            LOG.error("client {} refused a part of {}: {}", name, type, lastNack);
        }
    }

    private void limit(DiscoveryRequest request) {
        var others = wanted.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(request.getTypeUrl()))
                .mapToInt(entry -> entry.getValue().size())
                .sum();
        if (others + request.getResourceNamesCount() > MAX_NAMES) {
            throw new IllegalArgumentException("a client may ask for " + MAX_NAMES + " names, and this one asks for "
                    + (others + request.getResourceNamesCount()));
        }
        if (request.getResourceNamesList().stream().anyMatch(asked -> asked.length() > MAX_NAME)) {
            throw new IllegalArgumentException("a name is longer than " + MAX_NAME + " characters");
        }
    }

    private void push() {
        var published = server.published();
        if (ended || responses.isCancelled() || node.isEmpty() || published.sequence() == 0) {
            return;
        }
        var id = NodeId.of(name, caller);
        var viewer =
                published.mesh().viewer(id.namespace(), id.pod(), node.get().getLocality());
        for (var one : wanted.values()) {
            one.next(published.mesh(), published.sequence(), viewer).ifPresent(response -> {
                one.problems().forEach(server::told);
                responses.onNext(response);
            });
        }
        findings = wanted.values().stream()
                .flatMap(one -> one.problems().stream())
                .map(Object::toString)
                .distinct()
                .sorted()
                .toList();
    }

    @Override
    public XdsServer.ClientStatus status() {
        var state = new LinkedHashMap<String, String>();
        wanted.forEach((type, one) -> state.put(type, one.isSettled() ? "SYNCED" : "STALE"));
        return new XdsServer.ClientStatus(name, state, lastNack, findings);
    }
}
