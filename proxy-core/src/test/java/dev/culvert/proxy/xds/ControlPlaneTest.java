package dev.culvert.proxy.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.proxy.ca.TestAuthority;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a call of the control plane carries, as its server sees it.
class ControlPlaneTest {
    @TempDir
    Path directory;

    private final List<Metadata> heard = new CopyOnWriteArrayList<>();
    private DeltaDiscoveryResponse answer = DeltaDiscoveryResponse.getDefaultInstance();
    private boolean ends = true;
    private Server server;
    private String root;

    /// Answers each call with one response.
    private final class Answering extends AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase {
        @Override
        public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
                StreamObserver<DeltaDiscoveryResponse> responses) {
            responses.onNext(answer);
            if (ends) {
                responses.onCompleted();
            }
            return new Ignored();
        }
    }

    private record Responses(CompletableFuture<DeltaDiscoveryResponse> first)
            implements StreamObserver<DeltaDiscoveryResponse> {
        @Override
        public void onNext(DeltaDiscoveryResponse response) {
            first.complete(response);
        }

        @Override
        public void onError(Throwable cause) {
            first.completeExceptionally(cause);
        }

        @Override
        public void onCompleted() {}
    }

    private record Ignored() implements StreamObserver<DeltaDiscoveryRequest> {
        @Override
        public void onNext(DeltaDiscoveryRequest request) {}

        @Override
        public void onError(Throwable cause) {}

        @Override
        public void onCompleted() {}
    }

    @BeforeEach
    void start() throws Exception {
        var identity = new TestAuthority().server("127.0.0.1");
        root = "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(identity.root().getEncoded())
                + "\n-----END CERTIFICATE-----\n";
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))
                .sslContext(
                        GrpcSslContexts.configure(SslContextBuilder.forServer(identity.key(), identity.certificate()))
                                .build())
                .intercept(new ServerInterceptor() {
                    @Override
                    public <Q, P> ServerCall.Listener<Q> interceptCall(
                            ServerCall<Q, P> call, Metadata headers, ServerCallHandler<Q, P> next) {
                        heard.add(headers);
                        return next.startCall(call, headers);
                    }
                })
                .addService(new Answering())
                .build()
                .start();
    }

    @AfterEach
    void stop() throws Exception {
        server.shutdownNow().awaitTermination();
    }

    private ControlPlane with(String token, Map<String, String> headers) {
        var address = URI.create("https://127.0.0.1:" + server.getPort());
        return new ControlPlane(address, root, token, "", "east", headers);
    }

    /// Hands on what one connection to the server and back says, until it falls silent.
    private final class Wire implements AutoCloseable {
        private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        private final List<Socket> ends = new CopyOnWriteArrayList<>();
        private volatile boolean silent;

        Wire() throws IOException {
            Thread.ofVirtual().start(() -> {
                try {
                    var client = listening.accept();
                    var upstream = new Socket(InetAddress.ofLiteral("127.0.0.1"), server.getPort());
                    ends.addAll(List.of(client, upstream));
                    Thread.ofVirtual().start(() -> carry(client, upstream));
                    carry(upstream, client);
                } catch (IOException e) {
                    silent = true; // nobody came
                }
            });
        }

        private void carry(Socket from, Socket to) {
            try {
                var buffer = new byte[16 * 1024];
                int read;
                while ((read = from.getInputStream().read(buffer)) >= 0) {
                    if (!silent) {
                        to.getOutputStream().write(buffer, 0, read);
                    }
                }
            } catch (IOException e) {
                silent = true; // one side has gone
            }
        }

        @Override
        public void close() throws IOException {
            listening.close();
            for (var end : ends) {
                end.close();
            }
        }
    }

    private static void call(ControlPlane server) throws Exception {
        var channel = server.connect();
        try {
            var responses = new Responses(new CompletableFuture<>());
            AggregatedDiscoveryServiceGrpc.newStub(channel)
                    .withCallCredentials(server.credentials())
                    .deltaAggregatedResources(responses);
            responses.first.get(60, TimeUnit.SECONDS);
        } finally {
            channel.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }

    private @Nullable String lastHeard(String header) {
        return heard.getLast().get(Metadata.Key.of(header, Metadata.ASCII_STRING_MARSHALLER));
    }

    /// `XDS_HEADER_*` and `CA_HEADER_*` beside the token and the cluster.
    @Test
    void furtherHeadersGoWithTheToken() throws Exception {
        call(with("secret", Map.of("x-tenant", "blue")));
        assertThat(lastHeard("authorization")).isEqualTo("Bearer secret");
        assertThat(lastHeard("clusterid")).isEqualTo("east");
        assertThat(lastHeard("x-tenant")).isEqualTo("blue");
    }

    @Test
    void theTokensFileIsReadForEachCall() throws Exception {
        var file = Files.writeString(directory.resolve("token"), "first");
        var plane = with(file.toString(), Map.of());
        call(plane);
        assertThat(lastHeard("authorization")).isEqualTo("Bearer first");
        Files.writeString(file, "second");
        call(plane);
        assertThat(lastHeard("authorization")).isEqualTo("Bearer second");
    }

    /// Written, but not filled yet: a call without a token would be somebody else's.
    @Test
    void anEmptyTokenFileFailsTheCallBeforeItIsMade() throws Exception {
        var file = Files.writeString(directory.resolve("token"), "");
        assertThatThrownBy(() -> call(with(file.toString(), Map.of())))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining(file + ": the token file is empty");
        assertThat(heard).isEmpty();
    }

    @Test
    void withoutAnyTokenNobodyIsClaimed() throws Exception {
        call(with(directory.resolve("none").toString(), Map.of()));
        assertThat(lastHeard("authorization")).isNull();
        assertThat(lastHeard("clusterid")).isNull();
    }

    /// A big mesh's first answer is far above what gRPC takes by default.
    @Test
    void anAnswerOfManyMegabytesIsTaken() throws Exception {
        answer = DeltaDiscoveryResponse.newBuilder()
                .addResources(Resource.newBuilder()
                        .setResource(Any.newBuilder().setValue(ByteString.copyFrom(new byte[32 << 20]))))
                .build();
        call(with("", Map.of()));
        assertThat(heard).hasSize(1);
    }

    /// Nothing but the answer that fails to come says that the server has gone: a PING after 30 s, 10 s to answer.
    @Test
    void aServerThatFallsSilentIsGivenUp() throws Exception {
        ends = false;
        try (var wire = new Wire()) {
            var address = URI.create("https://127.0.0.1:" + wire.listening.getLocalPort());
            var channel = new ControlPlane(address, root, "", "", "east", Map.of()).connect();
            var failed = new CompletableFuture<Throwable>();
            AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(new StreamObserver<>() {
                @Override
                public void onNext(DeltaDiscoveryResponse response) {
                    wire.silent = true;
                }

                @Override
                public void onError(Throwable cause) {
                    failed.complete(cause);
                }

                @Override
                public void onCompleted() {
                    failed.complete(new IllegalStateException("ended in order"));
                }
            });
            assertThat(failed.get(180, TimeUnit.SECONDS)).hasMessageContaining("Keepalive failed");
            channel.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }
}
