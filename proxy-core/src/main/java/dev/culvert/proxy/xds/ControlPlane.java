package dev.culvert.proxy.xds;

import io.grpc.CallCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// How a server of the control plane is reached: TLS to a trusted root, a bearer token that is read anew for each
/// call.
/// @param address `https://host:port`
/// @param rootCa path of a PEM file, `SYSTEM`, or PEM text
/// @param authToken path of a file, or the token itself; empty for none
/// @param altHostname accepted in the server's certificate beside the address's host; empty for none
public record ControlPlane(
        URI address,
        String rootCa,
        String authToken,
        String altHostname,
        String clusterId,
        Map<String, String> headers) {
    private static final int CONNECT_MILLIS = 5000;
    private static final int MAX_MESSAGE_BYTES = 200 * 1024 * 1024;

    public ControlPlane {
        headers = Map.copyOf(headers);
        if (!"https".equals(address.getScheme()) || address.getHost() == null) {
            throw new IllegalArgumentException(address + ": the control plane is reached by https://host:port only");
        }
    }

    /// A new channel; reads the root now.
    public ManagedChannel connect() throws IOException {
        var tls = GrpcSslContexts.forClient().trustManager(trust());
        var host = address.getHost().replaceAll("[\\[\\]]", "");
        return NettyChannelBuilder.forAddress(host, address.getPort() < 0 ? 443 : address.getPort())
                .sslContext(tls.build())
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true)
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .build();
    }

    private ServerTrust trust() throws IOException {
        if (rootCa.equals("SYSTEM")) {
            return ServerTrust.of(null, altHostname);
        }
        try (var roots = open(rootCa)) {
            return ServerTrust.of(roots, altHostname);
        }
    }

    private static InputStream open(String pemOrPath) throws IOException {
        return pemOrPath.contains("-----BEGIN")
                ? new ByteArrayInputStream(pemOrPath.getBytes(StandardCharsets.US_ASCII))
                : Files.newInputStream(Path.of(pemOrPath));
    }

    public CallCredentials credentials() {
        return new Token();
    }

    private Metadata metadata() throws IOException {
        var metadata = new Metadata();
        var token = token();
        if (token != null) {
            metadata.put(key("authorization"), "Bearer " + token);
            metadata.put(key("clusterid"), clusterId);
        }
        headers.forEach((name, value) -> metadata.put(key(name), value));
        return metadata;
    }

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private @Nullable String token() throws IOException {
        if (authToken.isEmpty()) {
            return null;
        }
        var file = authToken.length() < 4096 ? Path.of(authToken) : null;
        if (file == null || !Files.exists(file)) {
            return authToken.startsWith("/") || authToken.startsWith("./") ? null : authToken;
        }
        var token = Files.readString(file);
        if (token.isEmpty()) {
            throw new IOException(file + ": the token file is empty");
        }
        return token;
    }

    @Override
    public String toString() {
        return "ControlPlane[" + address + "]";
    }

    private final class Token extends CallCredentials {
        @Override
        public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
            executor.execute(() -> {
                try {
                    applier.apply(metadata());
                } catch (IOException e) {
                    applier.fail(Status.UNAUTHENTICATED.withDescription("token: " + e.getMessage()));
                }
            });
        }
    }
}
