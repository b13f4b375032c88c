package dev.culvert.istiod.xds;

import com.google.protobuf.Message;
import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves `istio.workload.Address`, `istio.security.Authorization` and what waypoints are told by delta xDS, and
/// gRPC clients by state of the world. One virtual thread a client. Thread-safe.
public final class XdsServer extends AggregatedDiscoveryServiceImplBase {
    private static final Logger LOG = LoggerFactory.getLogger("xds");

    private static final int MAX_TOLD = 10_000;

    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    /// What of the objects gRPC clients cannot carry out: logged once.
    private final Set<Problem> told = ConcurrentHashMap.newKeySet();
    private volatile Catalogue catalogue = Catalogue.EMPTY;
    private volatile Published published = new Published(0, GrpcMesh.EMPTY);

    /// For gRPC clients.
    /// @param sequence 0 before anything was published
    record Published(long sequence, GrpcMesh mesh) {}

    /// Makes these the resources, and pushes to each client what changed for it. One caller at a time.
    public synchronized void publish(
            Map<String, ? extends Message> addresses,
            Map<String, ? extends Message> policies,
            Map<String, ? extends Message> ofProxies) {
        var next = catalogue.next(addresses, policies, ofProxies);
        if (next.sequence() != catalogue.sequence()) {
            catalogue = next;
            wake(ClientStream.class);
        }
    }

    /// Makes this what gRPC clients see, and pushes to each what changed for it. One caller at a time.
    public synchronized void publish(GrpcMesh mesh) {
        published = new Published(published.sequence + 1, mesh);
        wake(GrpcStream.class);
    }

    private void wake(Class<? extends Client> kind) {
        clients.stream().filter(kind::isInstance).forEach(Client::wake);
    }

    Published published() {
        return published;
    }

    Catalogue catalogue() {
        return catalogue;
    }

    @Override
    public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
            StreamObserver<DeltaDiscoveryResponse> responses) {
        var call = (ServerCallStreamObserver<DeltaDiscoveryResponse>) responses;
        return begin(new ClientStream(this, call, Caller.current()));
    }

    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(StreamObserver<DiscoveryResponse> responses) {
        var call = (ServerCallStreamObserver<DiscoveryResponse>) responses;
        return begin(new GrpcStream(this, call, Caller.current()));
    }

    private <C extends Client> C begin(C client) {
        clients.add(client);
        client.start();
        return client;
    }

    void ended(Client client) {
        if (clients.remove(client)) {
            LOG.info("client {} has left", client.name());
        }
    }

    /// Something that a gRPC client cannot carry out.
    void told(Problem problem) {
        if (told.size() < MAX_TOLD && told.add(problem)) {
            LOG.warn("{}", problem);
        }
    }

    /// @param state `SYNCED` or `STALE`
    /// @param findings what of the objects it cannot carry out
    public record ClientStatus(String node, Map<String, String> state, String lastNack, List<String> findings) {}

    public List<ClientStatus> clients() {
        return clients.stream().map(Client::status).toList();
    }
}
