package dev.culvert.istiod.xds;

import com.google.protobuf.Message;
import dev.culvert.istiod.ca.Caller;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves `istio.workload.Address`, `istio.security.Authorization` and what waypoints are told by delta xDS. One
/// virtual thread a client. Thread-safe.
public final class XdsServer extends AggregatedDiscoveryServiceImplBase {
    private static final Logger LOG = LoggerFactory.getLogger("xds");

    private final Set<ClientStream> clients = ConcurrentHashMap.newKeySet();
    private volatile Catalogue catalogue = Catalogue.EMPTY;

    /// Makes these the resources, and pushes to each client what changed for it. One caller at a time.
    public synchronized void publish(
            Map<String, ? extends Message> addresses,
            Map<String, ? extends Message> policies,
            Map<String, ? extends Message> ofProxies) {
        var next = catalogue.next(addresses, policies, ofProxies);
        if (next.sequence() != catalogue.sequence()) {
            catalogue = next;
            clients.forEach(ClientStream::wake);
        }
    }

    Catalogue catalogue() {
        return catalogue;
    }

    @Override
    public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
            StreamObserver<DeltaDiscoveryResponse> responses) {
        var call = (ServerCallStreamObserver<DeltaDiscoveryResponse>) responses;
        var client = new ClientStream(this, call, Caller.current());
        clients.add(client);
        client.start();
        return client;
    }

    void ended(ClientStream client) {
        if (clients.remove(client)) {
            LOG.info("client {} has left", client.name());
        }
    }

    /// @param state `SYNCED` or `STALE`
    public record ClientStatus(String node, Map<String, String> state, String lastNack) {}

    public List<ClientStatus> clients() {
        return clients.stream().map(ClientStream::status).toList();
    }
}
