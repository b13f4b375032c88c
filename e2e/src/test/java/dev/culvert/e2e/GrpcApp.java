package dev.culvert.e2e;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/// A gRPC application as a program of its own, with nothing of the mesh in it: `serve NAME PORT` answers with its
/// name, `call TARGET TIMES [HEADER VALUE]` prints who answered how often, or the status of the calls that failed.
final class GrpcApp {
    private static final int PATIENCE_SECONDS = 30;

    private GrpcApp() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "serve" -> serve(arguments[1], Integer.parseInt(arguments[2]));
            case "call" -> call(arguments);
            default -> throw new IllegalArgumentException("serve or call, not " + arguments[0]);
        }
    }

    private static void serve(String name, int port) throws Exception {
        Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
                .addService(ServerServiceDefinition.builder("quay.Signals")
                        .addMethod(method(), ServerCalls.asyncUnaryCall((_, answer) -> {
                            answer.onNext(name);
                            answer.onCompleted();
                        }))
                        .build())
                .build()
                .start()
                .awaitTermination();
    }

    private static void call(String... arguments) {
        var channel = Grpc.newChannelBuilder(arguments[1], InsecureChannelCredentials.create())
                .build();
        var headers = new Metadata();
        for (var i = 3; i < arguments.length; i += 2) {
            headers.put(Metadata.Key.of(arguments[i], Metadata.ASCII_STRING_MARSHALLER), arguments[i + 1]);
        }
        var with = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
        var answers = new TreeMap<String, Integer>();
        for (var i = 0; i < Integer.parseInt(arguments[2]); i++) {
            answers.merge(hoist(with), 1, Integer::sum);
        }
        channel.shutdownNow();
        System.out.println("answers " + answers);
    }

    private static String hoist(Channel channel) {
        try {
            var options = CallOptions.DEFAULT.withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return ClientCalls.blockingUnaryCall(channel, method(), options, "");
        } catch (StatusRuntimeException failed) {
            return failed.getStatus().getCode().name();
        }
    }

    private static MethodDescriptor<String, String> method() {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("quay.Signals/Hoist")
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
}
