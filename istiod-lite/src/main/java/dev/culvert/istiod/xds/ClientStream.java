package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A proxy, by delta xDS. One response of a type is under way at a time, so a slow client holds up only itself.
final class ClientStream extends Conversation<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
    private static final int MAX_NAMES = 250_000; // with versions, about as many as the largest request holds
    private static final Duration POLICIES_WAIT = Duration.ofSeconds(1);

    private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
    /// What the names of its resources begin with if it is a waypoint: its account has the Gateway's name.
    private final Optional<String> waypoint;

    private final long startNanos = System.nanoTime();

    /// @param caller whose token came with the call
    ClientStream(
            XdsServer server, ServerCallStreamObserver<DeltaDiscoveryResponse> responses, Optional<Caller> caller) {
        super(server, responses, caller, new Manner("xds-client", "token", POLICIES_WAIT));
        this.waypoint = caller.map(who -> who.namespace() + "/" + who.serviceAccount() + "/");
    }

    @Override
    void request(DeltaDiscoveryRequest request) {
        if (request.hasNode()) {
            name(request.getNode().getId());
            NodeId.of(name(), caller);
        }
        var type = request.getTypeUrl();
        if (!Catalogue.TYPES.contains(type) || (Catalogue.OWN.contains(type) && waypoint.isEmpty())) {
            LOG.warn("client {} asks for {}, which is not served", name(), type);
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
            LOG.info("client {} subscribes to {}", name(), type);
        } else {
            subscription.change(request);
        }
        if (request.hasErrorDetail()) {
            refused(type, request.getErrorDetail().getMessage());
        }
    }

    /// New policies first, then Addresses, which may name them, and last the removal of policies that none names
    /// any more: so a client never holds an Address whose policy it does not have.
    @Override
    void push() {
        var catalogue = server.catalogue();
        if (catalogue.sequence() == 0) {
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
        return new XdsServer.ClientStatus(name(), state, lastNack(), List.of());
    }
}
