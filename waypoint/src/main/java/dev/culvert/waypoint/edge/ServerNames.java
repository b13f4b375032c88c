package dev.culvert.waypoint.edge;

import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.waypoint.route.HostMap;
import io.netty.handler.ssl.SslContext;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which certificate a client is shown, by the name that it asks for (RFC 6066 §3). Immutable.
final class ServerNames {
    /// @param listener that the name belongs to
    record Chosen(String listener, SslContext context) {}

    private record Listener(String name, List<ServerContexts.Served> certificates) {}

    private final HostMap<Listener> listeners;

    /// @throws IllegalArgumentException for a certificate that cannot be used
    ServerNames(GatewayPort port, ServerContexts contexts) {
        var byHost = new HashMap<String, Listener>();
        for (var listener : port.getListenersList()) {
            byHost.put(
                    listener.getHostname(),
                    new Listener(
                            listener.getName(),
                            listener.getCertificatesList().stream()
                                    .map(contexts::of)
                                    .toList()));
        }
        listeners = new HostMap<>(byHost);
    }

    /// Empty if no listener takes it, or that one has no certificate.
    /// @param name null if the client asks for none
    Optional<Chosen> choose(@Nullable String name) {
        var host = name == null ? "" : name.toLowerCase(Locale.ROOT);
        return listeners
                .find(host)
                .flatMap(listener -> listener.certificates.stream()
                        .filter(one -> one.names().find(host).isPresent())
                        .findFirst()
                        .or(() -> listener.certificates.stream().findFirst())
                        .map(one -> new Chosen(listener.name, one.context())));
    }
}
