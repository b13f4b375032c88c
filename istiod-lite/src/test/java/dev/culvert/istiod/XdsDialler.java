package dev.culvert.istiod;

import dev.culvert.istiod.ca.Caller;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.NameResolverRegistry;
import io.grpc.xds.XdsNameResolverProvider;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// grpc-java with a bootstrap of one test: each has a scheme of its own in place of `xds`.
final class XdsDialler implements AutoCloseable {
    private static final AtomicInteger SCHEMES = new AtomicInteger();

    private final String scheme = "xds" + SCHEMES.incrementAndGet();
    private final XdsNameResolverProvider provider;
    private final Map<String, ?> bootstrap;
    private final List<ManagedChannel> channels = new ArrayList<>();

    /// @param more of the bootstrap
    XdsDialler(RunningServer server, Caller pod, Map<String, ?> more) throws Exception {
        this(server, pod, pod.namespace(), more);
    }

    /// @param namespace that the client says it is of
    XdsDialler(RunningServer server, Caller pod, String namespace, Map<String, ?> more) throws Exception {
        this(
                server,
                pod,
                namespace,
                Map.of("jwt_token_file", server.tokenOf(pod).toString()),
                more);
    }

    /// @param credentials files that say who the client is
    XdsDialler(
            RunningServer server, Caller pod, String namespace, Map<String, String> credentials, Map<String, ?> more) {
        var files = new HashMap<String, Object>(credentials);
        files.put("ca_certificate_file", server.root().toString());
        var id = "sidecar~127.0.0.1~" + pod.pod() + "." + namespace + "~" + namespace + ".svc.cluster.local";
        var bootstrap = new HashMap<String, Object>(more);
        bootstrap.put(
                "xds_servers",
                List.of(Map.of(
                        "server_uri", "127.0.0.1:" + server.port(),
                        "channel_creds", List.of(Map.of("type", "tls", "config", files)),
                        "server_features", List.of("xds_v3"))));
        bootstrap.put("node", Map.of("id", id));
        this.bootstrap = Map.copyOf(bootstrap);
        provider = XdsNameResolverProvider.createForTest(scheme, bootstrap);
        NameResolverRegistry.getDefaultRegistry().register(provider);
    }

    Map<String, ?> bootstrap() {
        return bootstrap;
    }

    ManagedChannel dial(String target) {
        return dial(target, InsecureChannelCredentials.create());
    }

    ManagedChannel dial(String target, ChannelCredentials credentials) {
        var channel =
                Grpc.newChannelBuilder(scheme + ":///" + target, credentials).build();
        channels.add(channel);
        return channel;
    }

    @Override
    public void close() {
        NameResolverRegistry.getDefaultRegistry().deregister(provider);
        channels.forEach(ManagedChannel::shutdownNow);
        try {
            for (var channel : channels) {
                channel.awaitTermination(1, TimeUnit.MINUTES);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
