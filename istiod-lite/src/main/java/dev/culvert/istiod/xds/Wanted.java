package dev.culvert.istiod.xds;

import com.google.protobuf.Any;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.istiod.grpc.Viewer;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one gRPC client wants and has of one type, by state of the world. Of listeners and clusters a response
/// holds all that there are, since what is missing in it is gone; of routes and endpoints only what is new. Used by
/// the client's thread; [#isSettled] by any.
final class Wanted {
    private static final Set<String> WHOLE = Set.of(GrpcMesh.LISTENER, GrpcMesh.CLUSTER);

    private final String type;
    private final Map<String, Any> sent = new HashMap<>();
    private final Set<Problem> problems = new LinkedHashSet<>();
    private Set<String> names = Set.of();
    private boolean asked;
    private long nonces;
    private long version;
    private volatile String outstanding = "";
    private volatile boolean settled;

    Wanted(String type) {
        this.type = type;
    }

    /// New names, an answer to the last response, or both; of an older one it is ignored.
    /// @return whether it counts
    boolean change(DiscoveryRequest request) {
        var nonce = request.getResponseNonce();
        if (!nonce.isEmpty() && !nonce.equals(outstanding) && !nonce.equals(Long.toString(nonces))) {
            return false;
        }
        if (nonce.equals(outstanding)) {
            outstanding = "";
        }
        var now = new LinkedHashSet<>(request.getResourceNamesList());
        asked |= !names.containsAll(now);
        names = now;
        sent.keySet().retainAll(now);
        return true;
    }

    /// Whether the client has answered all that there was.
    boolean isSettled() {
        return settled && outstanding.isEmpty();
    }

    int size() {
        return names.size();
    }

    /// What of the resources that were sent clients cannot carry out.
    Set<Problem> problems() {
        return problems;
    }

    /// The next response, if there is news and the last one was answered.
    Optional<DiscoveryResponse> next(GrpcMesh mesh, long sequence, Viewer viewer) {
        settled = version == sequence && !asked;
        if (!outstanding.isEmpty() || settled) {
            return Optional.empty();
        }
        var resources = new HashMap<String, Any>();
        problems.clear();
        for (var name : names) {
            mesh.resource(type, name, viewer).ifPresent(told -> {
                resources.put(name, told.resource());
                problems.addAll(told.problems());
            });
        }
        version = sequence;
        settled = true;
        var wasAsked = asked;
        asked = false;
        var told = news(resources, wasAsked);
        told.ifPresent(_ -> outstanding = Long.toString(++nonces));
        return told.map(all -> DiscoveryResponse.newBuilder()
                .setTypeUrl(type)
                .setVersionInfo(Long.toString(sequence))
                .setNonce(outstanding)
                .addAllResources(all)
                .build());
    }

    private Optional<List<Any>> news(Map<String, Any> resources, boolean wasAsked) {
        var changed = resources.entrySet().stream()
                .filter(entry -> !entry.getValue().equals(sent.get(entry.getKey())))
                .map(Map.Entry::getValue)
                .toList();
        var gone = !resources.keySet().containsAll(sent.keySet());
        sent.clear();
        sent.putAll(resources);
        if (WHOLE.contains(type)) {
            return wasAsked || gone || !changed.isEmpty()
                    ? Optional.of(List.copyOf(resources.values()))
                    : Optional.empty();
        }
        return changed.isEmpty() ? Optional.empty() : Optional.of(changed);
    }
}
