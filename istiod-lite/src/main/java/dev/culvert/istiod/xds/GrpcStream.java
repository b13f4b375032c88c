package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import dev.culvert.protos.discovery.Node;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A gRPC client that needs no proxy, by state of the world. One response of a type is under way at a time.
final class GrpcStream extends Conversation<DiscoveryRequest, DiscoveryResponse> {
    private static final int MAX_NAMES = 2_000;
    private static final int MAX_NAME = 512;

    private final Map<String, Wanted> wanted = new ConcurrentHashMap<>();
    private Optional<Node> node = Optional.empty();
    private volatile List<String> findings = List.of();

    /// @param caller whose token or certificate came with the call
    GrpcStream(XdsServer server, ServerCallStreamObserver<DiscoveryResponse> responses, Optional<Caller> caller) {
        super(server, responses, caller, new Manner("grpc-client", "caller", null));
    }

    @Override
    void request(DiscoveryRequest request) {
        if (request.hasNode() && node.isEmpty()) {
            NodeId.of(request.getNode().getId(), caller);
            node = Optional.of(request.getNode());
            name(request.getNode().getId());
        }
        if (node.isEmpty()) {
            throw new IllegalArgumentException("the first request names no node");
        }
        var type = request.getTypeUrl();
        if (!GrpcMesh.TYPES.contains(type)) {
            LOG.warn("client {} asks for {}, which is not served", name(), type);
            return;
        }
        limit(request);
        if (!wanted.computeIfAbsent(type, Wanted::new).change(request)) {
            return;
        }
        if (request.hasErrorDetail()) {
            refused(type, request.getErrorDetail().getMessage());
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

    @Override
    void push() {
        var published = server.published();
        if (node.isEmpty() || published.sequence() == 0) {
            return;
        }
        var id = NodeId.of(name(), caller);
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
        return new XdsServer.ClientStatus(name(), state, lastNack(), findings);
    }
}
