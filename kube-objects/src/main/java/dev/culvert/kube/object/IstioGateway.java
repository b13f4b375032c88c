package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A `networking.istio.io` Gateway: what pods at the edge of the mesh take from outside.
///
/// @param selector labels of those pods, in any namespace; empty for all
public record IstioGateway(Metadata metadata, Map<String, String> selector, List<Server> servers, Place place)
        implements KubeObject {
    /// What is inside, or around.
    public enum Protocol {
        HTTP,
        HTTPS,
        TLS,
        TCP
    }

    public enum TlsMode {
        PASSTHROUGH,
        SIMPLE,
        MUTUAL,
        OPTIONAL_MUTUAL;

        /// Whether clients are asked for a certificate.
        public boolean asksClients() {
            return this == MUTUAL || this == OPTIONAL_MUTUAL;
        }
    }

    /// One port of it.
    /// @param name for messages
    /// @param tls present if it is written
    /// @param broken what of it cannot be done, so that nothing of it is; else empty
    public record Server(
            String name, int port, Protocol protocol, List<Host> hosts, Optional<Tls> tls, String broken, Place place) {
        public Server {
            hosts = List.copyOf(hosts);
        }

        /// Whether connections begin with TLS.
        public boolean isTls() {
            return protocol == Protocol.HTTPS || protocol == Protocol.TLS;
        }

        /// Whether plain requests are sent to https.
        public boolean redirects() {
            return protocol == Protocol.HTTP && tls.map(Tls::redirect).orElse(false);
        }
    }

    /// @param namespace of the VirtualServices that may serve it; `*` for all
    /// @param name in lower case, `*.` and a name, or empty for all
    public record Host(String namespace, String name) {
        public boolean admits(String other) {
            return namespace.equals("*") || namespace.equals(other);
        }
    }

    /// @param credentials Secrets of the pods' namespace
    /// @param authorities the Secret with those that sign clients' certificates, if it is one of its own
    /// @param minVersion as Netty and the JDK call it; empty for the least that we speak
    /// @param maxVersion likewise
    /// @param names that a client's certificate must have one of; empty for any
    public record Tls(
            boolean redirect,
            TlsMode mode,
            List<String> credentials,
            Optional<String> authorities,
            String minVersion,
            String maxVersion,
            List<String> names) {
        public Tls {
            credentials = List.copyOf(credentials);
            names = List.copyOf(names);
        }
    }

    public IstioGateway {
        selector = Map.copyOf(selector);
        servers = List.copyOf(servers);
    }

    /// Whether it is for pods with these labels.
    public boolean selects(Map<String, String> labels) {
        return labels.entrySet().containsAll(selector.entrySet());
    }

    /// As VirtualServices name it.
    public String reference() {
        return namespace() + "/" + name();
    }
}
