package dev.culvert.istiod.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import dev.culvert.istiod.ambient.PlaintextRules;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.protos.envoy.Address;
import dev.culvert.protos.envoy.DownstreamTlsContext;
import dev.culvert.protos.envoy.Filter;
import dev.culvert.protos.envoy.FilterChain;
import dev.culvert.protos.envoy.HttpConnectionManager;
import dev.culvert.protos.envoy.Listener;
import dev.culvert.protos.envoy.NonForwardingAction;
import dev.culvert.protos.envoy.Route;
import dev.culvert.protos.envoy.RouteConfiguration;
import dev.culvert.protos.envoy.SocketAddress;
import dev.culvert.protos.envoy.TrafficDirection;
import dev.culvert.protos.envoy.VirtualHost;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import java.util.Map;
import java.util.Optional;

/// What a gRPC server gets that asks for its listener: it serves every call, of everybody or of callers with a
/// certificate of the mesh only. In front of a captured pod ztunnel has asked already, and what comes is plaintext.
final class ServerListeners {
    /// Of the names that servers ask for; `ADDRESS:PORT` follows.
    static final String PREFIX = "xds.istio.io/grpc/lds/inbound/";

    private static final String INBOUND = "inbound";
    private static final String MANAGER = "envoy.filters.network.http_connection_manager";

    private final Map<String, Authorization> policies;

    /// @param policies of node proxies, by name
    ServerListeners(Map<String, Authorization> policies) {
        this.policies = policies;
    }

    /// Empty if the name holds no address.
    /// @param own where the server runs
    Optional<Listener> of(String name, Workload own) {
        var address = name.substring(PREFIX.length());
        var colon = Math.max(0, address.lastIndexOf(':'));
        var host = address.substring(0, colon).replaceAll("^\\[|]$", "");
        return Addresses.parse(host)
                .flatMap(_ -> Ports.parse(address.substring(Math.min(address.length(), colon + 1))))
                .map(port -> listener(name, host, port, own));
    }

    private Listener listener(String name, String host, int port, Workload own) {
        var chain = FilterChain.newBuilder()
                .setName(INBOUND)
                .addFilters(Filter.newBuilder().setName(MANAGER).setTypedConfig(Any.pack(everyCall())));
        var captured = own.getTunnelProtocol() == TunnelProtocol.HBONE;
        if (!captured && PlaintextRules.refuse(own, port, policies)) {
            chain.setTransportSocket(Clusters.tls(DownstreamTlsContext.newBuilder()
                    .setCommonTlsContext(Clusters.certificates())
                    .setRequireClientCertificate(BoolValue.of(true))
                    .build()));
        }
        return Listener.newBuilder()
                .setName(name)
                .setAddress(Address.newBuilder()
                        .setSocketAddress(
                                SocketAddress.newBuilder().setAddress(host).setPortValue(port)))
                .setTrafficDirection(TrafficDirection.INBOUND)
                .addFilterChains(chain)
                .build();
    }

    private static HttpConnectionManager everyCall() {
        var host = VirtualHost.newBuilder()
                .setName(INBOUND)
                .addDomains("*")
                .addRoutes(Route.newBuilder()
                        .setName(INBOUND)
                        .setMatch(Conditions.any())
                        .setNonForwardingAction(NonForwardingAction.getDefaultInstance()));
        return HttpConnectionManager.newBuilder()
                .setRouteConfig(RouteConfiguration.newBuilder().setName(INBOUND).addVirtualHosts(host))
                .addHttpFilters(Listeners.ROUTER)
                .build();
    }
}
