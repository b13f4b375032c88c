package dev.culvert.proxy.xds;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.culvert.daemon.retry.Backoff;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Node;
import dev.culvert.protos.discovery.Status;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the mesh up to date by delta xDS: all policies, and all addresses or those that are asked for; reconnects
/// for ever and keeps the state meanwhile. One virtual thread runs it.
public final class XdsClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("xds");
    private static final Duration FIRST_BACKOFF = Duration.ofMillis(10);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(15);
    private static final int QUEUE = 16;

    /// @param id `ztunnel~<ip>~<pod>.<namespace>~<namespace>.svc.cluster.local`
    /// @param metadata values as JSON has them: text, numbers, truth, lists, maps, null
    public record NodeId(String id, Map<String, ?> metadata) {
        Node toProto() {
            return Node.newBuilder()
                    .setId(id)
                    .setMetadata(value(metadata).getStructValue())
                    .build();
        }

        private static Value value(@Nullable Object json) {
            var to = Value.newBuilder();
            switch (json) {
                case null -> to.setNullValue(NullValue.NULL_VALUE);
                case Boolean truth -> to.setBoolValue(truth);
                case Number number -> to.setNumberValue(number.doubleValue());
                case List<?> list -> {
                    var items = ListValue.newBuilder();
                    list.forEach(item -> items.addValues(value(item)));
                    to.setListValue(items);
                }
                case Map<?, ?> map -> {
                    var struct = Struct.newBuilder();
                    map.forEach((key, item) -> struct.putFields(String.valueOf(key), value(item)));
                    to.setStructValue(struct);
                }
                default -> to.setStringValue(json.toString());
            }
            return to.build();
        }
    }

    private sealed interface Event {
        record Response(DeltaDiscoveryResponse response) implements Event {}

        record Ended(@Nullable Throwable cause) implements Event {}
    }

    private final ControlPlane server;
    private final NodeId node;
    private final MeshResources resources;
    private final XdsMetrics metrics;
    private final Runnable onSynced;
    private final @Nullable Demand demand;
    private final Set<String> acknowledged = new HashSet<>();
    private volatile boolean closed;
    private volatile boolean connected;
    private int failures;
    private @Nullable Thread thread;

    /// @param onSynced called once when all that is taken whole was acknowledged for the first time
    public XdsClient(ControlPlane server, NodeId node, MeshResources resources, XdsMetrics metrics, Runnable onSynced) {
        this.demand = resources.demand();
        this.server = server;
        this.node = node;
        this.resources = resources;
        this.metrics = metrics;
        this.onSynced = onSynced;
    }

    public void start() {
        thread = Thread.ofVirtual().name("xds").start(this::run);
    }

    public boolean isConnected() {
        return connected;
    }

    private void run() {
        var backoff = new Backoff(FIRST_BACKOFF, MAX_BACKOFF);
        while (!closed) {
            var progressed = false;
            try {
                progressed = connectOnce();
            } catch (IOException | RuntimeException e) {
                metrics.ended(XdsMetrics.Reason.CONNECTION_ERROR);
                ended(e);
            } catch (InterruptedException _) {
                return;
            }
            if (progressed) {
                backoff.reset();
            }
            pause(backoff.next());
        }
    }

    /// Said once, and again after some more failures.
    private void ended(@Nullable Throwable cause) {
        if (!closed && failures++ % 20 == 0) {
            LOG.warn(
                    "no stream to {}: {}; what is known stays in force, trying again",
                    server.address(),
                    cause == null ? "ended by the server" : reason(cause));
        }
    }

    private void pause(Duration backoff) {
        try {
            Thread.sleep(backoff);
        } catch (InterruptedException _) {
            closed = true;
        }
    }

    private static String reason(Throwable e) {
        if (!(e instanceof StatusRuntimeException status)) {
            return e.toString();
        }
        var root = status.getStatus().getCause();
        return status.getStatus().getCode() + " "
                + (root == null ? status.getStatus().getDescription() : root.getMessage());
    }

    /// One stream from connect to its end. True if anything was received on it.
    private boolean connectOnce() throws IOException, InterruptedException {
        var channel = server.connect();
        try {
            return converse(channel);
        } finally {
            connected = false;
            if (demand != null) {
                demand.stream(null);
            }
            channel.shutdownNow();
        }
    }

    private boolean converse(ManagedChannel channel) throws InterruptedException {
        var events = new ArrayBlockingQueue<Event>(QUEUE);
        var requests = new Requests(AggregatedDiscoveryServiceGrpc.newStub(channel)
                .withCallCredentials(server.credentials())
                .deltaAggregatedResources(new Receiver(events)));
        subscribe(requests);
        var received = false;
        while (!closed) {
            switch (events.take()) {
                case Event.Response(var response) -> {
                    if (!connected) {
                        connected = true;
                        failures = 0;
                        LOG.info("XDS stream established with {}", server.address());
                    }
                    received = true;
                    metrics.message(response);
                    handle(response, requests);
                    if (events.isEmpty()) {
                        resources.save();
                    }
                }
                case Event.Ended(var cause) -> {
                    metrics.ended(reasonOf(cause));
                    ended(cause);
                    return received;
                }
            }
        }
        return received;
    }

    /// The server may end a stream when it likes: a close without an error, or because the connection grew too old.
    private XdsMetrics.Reason reasonOf(@Nullable Throwable cause) {
        if (cause == null) {
            return XdsMetrics.Reason.COMPLETE;
        }
        var status = io.grpc.Status.Code.UNKNOWN;
        if (cause instanceof StatusRuntimeException failed) {
            status = failed.getStatus().getCode();
        }
        return !connected && status == io.grpc.Status.Code.UNAVAILABLE
                ? XdsMetrics.Reason.CONNECTION_ERROR
                : connected && status == io.grpc.Status.Code.UNAVAILABLE
                        ? XdsMetrics.Reason.RECONNECT
                        : XdsMetrics.Reason.ERROR;
    }

    private void subscribe(Requests requests) {
        var held = resources.versions(MeshResources.ADDRESS);
        var addresses = demand == null
                ? DeltaDiscoveryRequest.newBuilder().putAllInitialResourceVersions(held)
                : demand.subscribe(held);
        requests.send(addresses
                .setNode(node.toProto())
                .setTypeUrl(MeshResources.ADDRESS)
                .build());
        if (demand != null) {
            demand.stream(requests::send);
        }
        requests.send(whole(MeshResources.AUTHORIZATION, resources.versions(MeshResources.AUTHORIZATION)));
        resources.furtherTypes().forEach(type -> requests.send(whole(type, resources.versions(type))));
    }

    private DeltaDiscoveryRequest whole(String type, Map<String, String> versions) {
        return DeltaDiscoveryRequest.newBuilder()
                .setNode(node.toProto())
                .setTypeUrl(type)
                .putAllInitialResourceVersions(versions)
                .build();
    }

    private void handle(DeltaDiscoveryResponse response, Requests requests) {
        var answer = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(response.getTypeUrl())
                .setResponseNonce(response.getNonce());
        if (!isKnown(response.getTypeUrl())) {
            LOG.warn("unknown type {} ignored", response.getTypeUrl());
            requests.send(answer.build());
            return;
        }
        var refused = resources.apply(response);
        if (!refused.isEmpty()) {
            var text = refused.entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + entry.getValue())
                    .collect(Collectors.joining("; "));
            LOG.error("refused {} of {} resources: {}", refused.size(), response.getResourcesCount(), text);
            answer.setErrorDetail(Status.newBuilder().setCode(3).setMessage(text));
        }
        requests.send(answer.build());
        if (demand != null) {
            demand.answered(response);
        }
        if (refused.isEmpty() && isWhole(response.getTypeUrl()) && acknowledged.add(response.getTypeUrl())) {
            var all = (demand == null ? 2 : 1) + resources.furtherTypes().size();
            if (acknowledged.size() == all) {
                onSynced.run();
            }
        }
    }

    private boolean isWhole(String type) {
        return demand == null || !type.equals(MeshResources.ADDRESS);
    }

    private boolean isKnown(String type) {
        return type.equals(MeshResources.ADDRESS)
                || type.equals(MeshResources.AUTHORIZATION)
                || resources.furtherTypes().contains(type);
    }

    @Override
    public void close() {
        closed = true;
        if (thread != null) {
            thread.interrupt();
        }
    }

    /// The sending side of a stream; used by the client's thread and by whoever asks for a name.
    private record Requests(StreamObserver<DeltaDiscoveryRequest> stream) {
        synchronized void send(DeltaDiscoveryRequest request) {
            stream.onNext(request);
        }
    }

    /// Hands what gRPC brings to the client's thread; a full queue holds gRPC back.
    private record Receiver(BlockingQueue<Event> events) implements StreamObserver<DeltaDiscoveryResponse> {
        @Override
        public void onNext(DeltaDiscoveryResponse response) {
            put(new Event.Response(response));
        }

        @Override
        public void onError(Throwable cause) {
            put(new Event.Ended(cause));
        }

        @Override
        public void onCompleted() {
            put(new Event.Ended(null));
        }

        private void put(Event event) {
            try {
                events.put(event);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
