package dev.culvert.waypoint.edge;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.proxy.xds.FurtherResources;
import dev.culvert.waypoint.config.ServiceConfigs;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// What the controller says of our own listeners. One thread applies, any may read.
public final class EdgeConfigs implements FurtherResources {
    public static final String TYPE = "type.googleapis.com/culvert.waypoint.v1.GatewayConfig";

    private final ServiceConfigs services;
    private final Consumer<Optional<Edge>> changed;
    private final ServerContexts contexts = new ServerContexts();
    private volatile Optional<Edge> current = Optional.empty();

    /// @param services told what requests are to be judged by
    /// @param changed called by the thread that applies, before requests are routed by it
    EdgeConfigs(ServiceConfigs services, Consumer<Optional<Edge>> changed) {
        this.services = services;
        this.changed = changed;
    }

    Optional<Edge> current() {
        return current;
    }

    /// Without private keys.
    public Optional<GatewayConfig> shown() {
        return current.map(edge -> {
            var to = edge.said().toBuilder();
            for (var port : to.getPortsBuilderList()) {
                for (var listener : port.getListenersBuilderList()) {
                    listener.getCertificatesBuilderList()
                            .forEach(key -> key.clearPrivateKey().clearChain());
                }
            }
            return to.build();
        });
    }

    @Override
    public String type() {
        return TYPE;
    }

    /// One that cannot be understood leaves everything as it was.
    @Override
    public Map<String, String> apply(DeltaDiscoveryResponse response) {
        var refused = new LinkedHashMap<String, String>();
        var next = response.getRemovedResourcesCount() > 0 ? Optional.<Edge>empty() : current;
        for (var resource : response.getResourcesList()) {
            try {
                var config = GatewayConfig.parseFrom(resource.getResource().getValue());
                next = Optional.of(Edge.of(config, contexts));
                contexts.retain();
            } catch (IllegalArgumentException | InvalidProtocolBufferException bad) {
                refused.put(resource.getName(), String.valueOf(bad.getMessage()));
            }
        }
        current = next;
        changed.accept(next);
        services.gateway(next.map(Edge::service));
        return refused;
    }
}
