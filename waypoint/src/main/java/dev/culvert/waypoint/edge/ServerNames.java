package dev.culvert.waypoint.edge;

import dev.culvert.protos.waypoint.ByteHost;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.waypoint.route.CompiledRoute.Targets;
import dev.culvert.waypoint.route.HostMap;
import io.netty.handler.ssl.SslContext;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What is done with a connection that begins with TLS, by the name that the client asks for (RFC 6066 §3). Immutable.
final class ServerNames {
    /// What becomes of a connection.
    sealed interface Chosen {
        /// TLS is ended here, and HTTP is inside.
        /// @param listener that the name belongs to
        record Http(String listener, Handshake handshake) implements Chosen {}

        /// TLS is ended here, and what is inside is passed on.
        record Inside(Targets to, Handshake handshake) implements Chosen {}

        /// All is passed on as it comes.
        record Whole(Targets to) implements Chosen {}
    }

    /// @param clients names of which a client's certificate must have one, if it shows one; none: any
    record Handshake(SslContext context, List<String> clients) {
        Handshake {
            clients = List.copyOf(clients);
        }
    }

    private record Listener(
            String name,
            Content content,
            List<ServerContexts.Served> certificates,
            List<String> clients,
            HostMap<Targets> targets) {
        Optional<Chosen> choose(String host) {
            return switch (content) {
                case HTTP -> handshake(host).map(one -> new Chosen.Http(name, one));
                case BYTES_IN_TLS ->
                    targets.find(host).flatMap(to -> handshake(host).map(one -> new Chosen.Inside(to, one)));
                case TLS -> targets.find(host).map(Chosen.Whole::new);
                case UNRECOGNIZED -> Optional.empty();
            };
        }

        private Optional<Handshake> handshake(String host) {
            return certificates.stream()
                    .filter(one -> one.names().find(host).isPresent())
                    .findFirst()
                    .or(() -> certificates.stream().findFirst())
                    .map(one -> new Handshake(one.context(), clients));
        }
    }

    private final HostMap<Listener> listeners;

    /// @throws IllegalArgumentException for a certificate that cannot be used, or a content that we do not know
    ServerNames(GatewayPort port, ServerContexts contexts) {
        var byHost = new HashMap<String, Listener>();
        for (var listener : port.getListenersList()) {
            byHost.put(listener.getHostname(), listener(listener, contexts));
        }
        listeners = new HostMap<>(byHost);
    }

    private static Listener listener(GatewayListener said, ServerContexts contexts) {
        if (said.getContent() == Content.UNRECOGNIZED) {
            throw new IllegalArgumentException("listener " + said.getName() + " has an unknown content");
        }
        var targets = new HashMap<String, Targets>();
        for (ByteHost host : said.getByteHostsList()) {
            targets.put(host.getHost(), Targets.of(host.getForward()));
        }
        var closed = said.hasClients() && said.getClients().getAuthoritiesCount() == 0; // no certificate is good
        return new Listener(
                said.getName(),
                said.getContent(),
                closed
                        ? List.of()
                        : said.getCertificatesList().stream()
                                .map(one -> contexts.of(one, said))
                                .toList(),
                said.getClients().getNamesList(),
                new HostMap<>(targets));
    }

    /// Empty if no listener takes it, or that one has no certificate, or nothing to pass it on to.
    /// @param name null if the client asks for none
    Optional<Chosen> choose(@Nullable String name) {
        var host = name == null ? "" : name.toLowerCase(Locale.ROOT);
        return listeners.find(host).flatMap(listener -> listener.choose(host));
    }
}
