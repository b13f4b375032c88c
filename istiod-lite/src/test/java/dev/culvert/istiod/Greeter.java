package dev.culvert.istiod;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A gRPC server that answers with its name, on an address of loopback; and calls of it.
final class Greeter implements AutoCloseable {
    static final int PORT = 50061;
    private static final int PATIENCE_SECONDS = 60;

    private final Server server;
    private final AtomicInteger failures = new AtomicInteger();

    Greeter(String name, String address) throws IOException {
        this(name, address, InsecureServerCredentials.create());
    }

    Greeter(String name, String address, ServerCredentials credentials) throws IOException {
        this(name, NettyServerBuilder.forAddress(new InetSocketAddress(address, PORT), credentials));
    }

    private Greeter(String name, ServerBuilder<?> builder) throws IOException {
        server = builder.addService(ServerServiceDefinition.builder("quay.Signals")
                        .addMethod(
                                method("Hoist"),
                                ServerCalls.asyncUnaryCall((said, answer) -> answer(name, said, answer)))
                        .addMethod(
                                method("Lower"),
                                ServerCalls.asyncUnaryCall((said, answer) -> answer(name, said, answer)))
                        .build())
                .build()
                .start();
    }

    /// On the builder's port.
    static Greeter of(String name, ServerBuilder<?> builder) throws IOException {
        return new Greeter(name, builder);
    }

    private void answer(String name, String said, StreamObserver<String> answer) {
        if (said.equals("never")) {
            return;
        }
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            answer.onError(Status.UNAVAILABLE.withDescription("not now").asRuntimeException());
            return;
        }
        answer.onNext(name);
        answer.onCompleted();
    }

    /// The next calls fail with UNAVAILABLE.
    void fail(int times) {
        failures.set(times);
    }

    static String call(Channel channel, String method, String said, String... header) {
        var headers = new Metadata();
        for (var i = 0; i < header.length; i += 2) {
            headers.put(Metadata.Key.of(header[i], Metadata.ASCII_STRING_MARSHALLER), header[i + 1]);
        }
        var with = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
        var options = CallOptions.DEFAULT.withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS);
        return ClientCalls.blockingUnaryCall(with, method(method), options, said);
    }

    private static MethodDescriptor<String, String> method(String name) {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("quay.Signals/" + name)
                .setRequestMarshaller(new Text())
                .setResponseMarshaller(new Text())
                .build();
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
