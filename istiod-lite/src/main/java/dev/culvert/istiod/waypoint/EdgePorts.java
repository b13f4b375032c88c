package dev.culvert.istiod.waypoint;

import com.google.protobuf.ByteString;
import dev.culvert.istiod.ingress.ServerKey;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.ServerCertificate;
import dev.culvert.protos.waypoint.VirtualHost;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The ports of one gateway while they are put together: listeners by hostname, and routes of each by host.
final class EdgePorts {
    private final Map<Integer, Port> ports = new TreeMap<>();

    /// What a port's connections begin with.
    enum Form {
        HTTP,
        TLS,
        BYTES
    }

    private static final class Port {
        final Form form;
        final Map<String, Listener> listeners = new LinkedHashMap<>();
        Forward bytes = Forward.getDefaultInstance();

        Port(Form form) {
            this.form = form;
        }
    }

    /// One hostname of a port.
    static final class Listener {
        private final GatewayListener.Builder said;
        private final Map<String, VirtualHost.Builder> hosts = new TreeMap<>();

        private Listener(GatewayListener.Builder said) {
            this.said = said;
        }

        /// Routes of a host, behind those that it has.
        void routes(String host, List<Route> routes) {
            hosts.computeIfAbsent(host, _ -> VirtualHost.newBuilder().setHost(host))
                    .addAllRoutes(routes);
        }

        void bytes(String host, Forward to) {
            said.addByteHostsBuilder().setHost(host).setForward(to);
        }

        void certificates(List<ServerKey> keys) {
            keys.forEach(key -> said.addCertificates(certificate(key)));
        }

        /// @param optional whether a client without a certificate gets in, too
        /// @param names one of which a certificate must have; none: any
        void clients(List<X509Certificate> authorities, boolean optional, List<String> names) {
            var to = said.getClientsBuilder().setOptional(optional).addAllNames(names);
            authorities.forEach(one -> to.addAuthorities(encoded(one)));
        }

        void versions(String min, String max) {
            said.setMinVersion(min).setMaxVersion(max);
        }

        private GatewayListener built() {
            hosts.values().forEach(said::addHosts);
            return said.build();
        }
    }

    boolean fits(int port, Form form) {
        var there = ports.get(port);
        return there == null || there.form == form;
    }

    /// Whether somebody has it already.
    boolean has(int port, String hostname) {
        var there = ports.get(port);
        return there != null && (there.form == Form.BYTES || there.listeners.containsKey(hostname));
    }

    /// The one that is there, else a new one.
    Listener listener(int port, Form form, String name, String hostname, Content content) {
        return ports.computeIfAbsent(port, _ -> new Port(form))
                .listeners
                .computeIfAbsent(
                        hostname,
                        _ -> new Listener(GatewayListener.newBuilder()
                                .setName(name)
                                .setHostname(hostname)
                                .setContent(content)));
    }

    /// A port that is not looked into.
    void bytes(int port, Forward to) {
        ports.computeIfAbsent(port, _ -> new Port(Form.BYTES)).bytes = to;
    }

    void addTo(GatewayConfig.Builder config) {
        ports.forEach((number, port) -> {
            var to = GatewayPort.newBuilder().setNumber(number).setTls(port.form == Form.TLS);
            if (port.form == Form.BYTES) {
                to.setBytes(port.bytes);
            }
            port.listeners.values().forEach(listener -> to.addListeners(listener.built()));
            config.addPorts(to);
        });
    }

    private static ServerCertificate certificate(ServerKey key) {
        var to = ServerCertificate.newBuilder()
                .setPrivateKey(ByteString.copyFrom(key.key().getEncoded()));
        key.chain().forEach(one -> to.addChain(encoded(one)));
        return to.build();
    }

    private static ByteString encoded(X509Certificate certificate) {
        try {
            return ByteString.copyFrom(certificate.getEncoded());
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException(impossible); // it was read from this form
        }
    }
}
