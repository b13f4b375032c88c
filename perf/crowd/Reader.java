import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Node;
import dev.culvert.protos.workload.Address;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;

/// A client as a node proxy is one: it asks for all policies and all addresses, and acknowledges what comes.
final class Reader implements StreamObserver<DeltaDiscoveryResponse>, AutoCloseable {
    private static final String ADDRESS = "type.googleapis.com/istio.workload.Address";
    private static final String AUTHORIZATION = "type.googleapis.com/istio.security.Authorization";
    private static final int MOST_BYTES = 512 << 20;

    private final ManagedChannel channel;
    private final StreamObserver<DeltaDiscoveryRequest> requests;
    private final ObjLongConsumer<String> listener;
    private final CompletableFuture<First> first = new CompletableFuture<>();
    private final Map<String, String> versions = new HashMap<>();
    private final long start;

    /// The first response with addresses, once each of them is read.
    record First(double milliseconds, int addresses, long bytes) {}

    /// @param held what the client has already, by name
    /// @param listener gets the canonical revision of each workload that comes after the first response, and when
    Reader(int port, Crowd.Access access, Map<String, String> held, ObjLongConsumer<String> listener)
            throws IOException {
        this.listener = listener;
        versions.putAll(held);
        var tls = GrpcSslContexts.forClient()
                .trustManager(new ByteArrayInputStream(access.root().getBytes()))
                .build();
        channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                .sslContext(tls)
                .directExecutor()
                .maxInboundMessageSize(MOST_BYTES)
                .build();
        var headers = new Metadata();
        headers.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                "Bearer " + access.token().strip());
        start = System.nanoTime();
        requests = AggregatedDiscoveryServiceGrpc.newStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .deltaAggregatedResources(this);
        var node = Node.newBuilder().setId("ztunnel~127.0.0.1~reader." + access.namespace() + "~cluster.local");
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setNode(node)
                .setTypeUrl(AUTHORIZATION)
                .build());
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(ADDRESS)
                .putAllInitialResourceVersions(held)
                .build());
    }

    First first(long seconds) throws Exception {
        return first.get(seconds, TimeUnit.SECONDS);
    }

    /// What it has now, by name; not while more comes.
    Map<String, String> versions() {
        return Map.copyOf(versions);
    }

    @Override
    public void onNext(DeltaDiscoveryResponse response) {
        var isAddresses = response.getTypeUrl().equals(ADDRESS);
        try {
            for (var resource : response.getResourcesList()) {
                if (isAddresses) {
                    var address = Address.parseFrom(resource.getResource().getValue());
                    if (first.isDone() && address.hasWorkload()) {
                        listener.accept(address.getWorkload().getCanonicalRevision(), System.nanoTime());
                    } else if (!first.isDone()) {
                        versions.put(resource.getName(), resource.getVersion());
                    }
                }
            }
        } catch (InvalidProtocolBufferException wrong) {
            first.completeExceptionally(wrong);
        }
        if (isAddresses) {
            first.complete(new First(
                    (System.nanoTime() - start) / 1e6, response.getResourcesCount(), response.getSerializedSize()));
        }
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(response.getTypeUrl())
                .setResponseNonce(response.getNonce())
                .build());
    }

    @Override
    public void onError(Throwable failed) {
        if (!first.completeExceptionally(failed) && !channel.isShutdown()) {
            System.err.println("a client lost its stream: " + failed.getMessage());
        }
    }

    @Override
    public void onCompleted() {
        first.completeExceptionally(new IOException("the controller ended the stream"));
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
}
