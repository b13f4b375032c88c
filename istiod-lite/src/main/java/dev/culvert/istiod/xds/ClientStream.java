package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The conversation with one client. gRPC's threads and [#wake] only put events into a bounded queue; one virtual
/// thread does the rest. One response of a type is under way at a time, so a slow client holds up only itself.
final class ClientStream implements Client, StreamObserver<DeltaDiscoveryRequest> {
    private static final Logger LOG = LoggerFactory.getLogger("xds");
    private static final int QUEUE = 256;
    private static final int MAX_NAMES = 100_000;
    private static final Duration POLICIES_WAIT = Duration.ofSeconds(1);

    private sealed interface Event {
        record Request(DeltaDiscoveryRequest request) implements Event {}

        record Wake() implements Event {}

        record End() implements Event {}
    }

    private final XdsServer server;
    private final ServerCallStreamObserver<DeltaDiscoveryResponse> responses;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicBoolean awake = new AtomicBoolean();
    private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
    private final Optional<Caller> caller;
    /// What the names of its resources begin with if it is a waypoint: its account has the Gateway's name.
    private final Optional<String> waypoint;

    private final long startNanos = System.nanoTime();
    private volatile String name = "unknown";
    private volatile String lastNack = "";
    private boolean ended;

    /// @param caller whose token came with the call
    ClientStream(
            XdsServer server, ServerCallStreamObserver<DeltaDiscoveryResponse> responses, Optional<Caller> caller) {
        this.server = server;
        this.caller = caller;
        this.waypoint = caller.map(who -> who.namespace() + "/" + who.serviceAccount() + "/");
        this.responses = responses;
        responses.setOnCancelHandler(() -> put(new Event.End()));
    }

    @Override
    public void start() {
        Thread.ofVirtual().name("xds-client").start(this::run);
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
    public void onNext(DeltaDiscoveryRequest request) {
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
                var event = events.poll(POLICIES_WAIT.toMillis(), TimeUnit.MILLISECONDS);
                if (event != null) {
                    handle(event);
                }
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
                    .withDescription("the node's namespace is not that of the token")
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

    private void request(DeltaDiscoveryRequest request) {
        if (request.hasNode()) {
            name = request.getNode().getId();
            NodeId.of(name, caller);
        }
        var type = request.getTypeUrl();
        if (!Catalogue.TYPES.contains(type) || (Catalogue.OWN.contains(type) && waypoint.isEmpty())) {
            LOG.warn("client {} asks for {}, which is not served", name, type);
            return;
        }
        var names = request.getResourceNamesSubscribeCount() + request.getInitialResourceVersionsCount();
        if (names > MAX_NAMES) {
            throw new IllegalArgumentException(names + " names in one request");
        }
        var subscription = subscriptions.get(type);
        if (subscription == null) {
            subscription = new Subscription(type, request, Catalogue.OWN.contains(type) ? waypoint.get() : "");
            subscriptions.put(type, subscription);
            LOG.info("client {} subscribes to {}", name, type);
        } else {
            subscription.change(request);
        }
        if (request.hasErrorDetail()) {
            lastNack = request.getErrorDetail().getMessage();
            LOG.error("client {} refused a part of {}: {}", name, type, lastNack);
        }
    }

    /// New policies first, then Addresses, which may name them, and last the removal of policies that none names
    /// any more: so a client never holds an Address whose policy it does not have.
    private void push() {
        var catalogue = server.catalogue();
        if (ended || responses.isCancelled() || catalogue.sequence() == 0) {
            return;
        }
        var policies = subscriptions.get(Catalogue.AUTHORIZATION);
        var addresses = subscriptions.get(Catalogue.ADDRESS);
        for (var type : Catalogue.OWN) {
            var own = subscriptions.get(type);
            if (own != null) {
                own.next(catalogue, false).ifPresent(responses::onNext);
            }
        }
        if (policies != null) {
            policies.next(catalogue, addresses != null).ifPresent(responses::onNext);
        }
        if (addresses != null && policiesSettled(catalogue)) {
            addresses.next(catalogue, false).ifPresent(responses::onNext);
        }
        if (policies != null && addresses != null && addresses.isSettledAt(catalogue.sequence())) {
            policies.removals(catalogue).ifPresent(responses::onNext);
        }
    }

    private boolean policiesSettled(Catalogue catalogue) {
        var policies = subscriptions.get(Catalogue.AUTHORIZATION);
        return policies == null
                ? System.nanoTime() - startNanos > POLICIES_WAIT.toNanos()
                : policies.isSettledAt(catalogue.sequence());
    }

    @Override
    public XdsServer.ClientStatus status() {
        var state = new LinkedHashMap<String, String>();
        var now = server.catalogue().sequence();
        subscriptions.forEach(
                (type, subscription) -> state.put(type, subscription.isSettledAt(now) ? "SYNCED" : "STALE"));
        return new XdsServer.ClientStatus(name, state, lastNack, List.of());
    }
}
