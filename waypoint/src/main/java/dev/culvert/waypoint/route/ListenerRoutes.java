package dev.culvert.waypoint.route;

import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.GatewayPort;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The routes of one port of a gateway: a request is for the listener that is the most specific for its host, and there
/// for the most specific host. Immutable.
public final class ListenerRoutes implements HostedRoutes {
    private static final RouteTable NO_ROUTES = new RouteTable(List.of());

    private record Listener(String name, HostMap<RouteTable> hosts) {}

    private final HostMap<Listener> listeners;

    /// @throws IllegalArgumentException for what cannot be understood
    public ListenerRoutes(GatewayPort port) {
        var byHost = new HashMap<String, Listener>();
        for (var listener : port.getListenersList()) {
            byHost.put(listener.getHostname(), new Listener(listener.getName(), new HostMap<>(tables(listener))));
        }
        listeners = new HostMap<>(byHost);
    }

    private static Map<String, RouteTable> tables(GatewayListener listener) {
        var tables = new HashMap<String, RouteTable>();
        for (var host : listener.getHostsList()) {
            tables.put(host.getHost(), new RouteTable(host.getRoutesList()));
        }
        return tables;
    }

    @Override
    public RouteTable of(String authority) {
        return listener(authority)
                .flatMap(listener -> listener.hosts.find(authority))
                .orElse(NO_ROUTES);
    }

    private Optional<Listener> listener(String authority) {
        return listeners.find(authority);
    }

    @Override
    public boolean isMisdirected(String authority, String listener) {
        return listener(authority).filter(one -> !one.name.equals(listener)).isPresent();
    }

    @Override
    public List<CompiledRoute> all() {
        return listeners.values().stream()
                .flatMap(listener -> listener.hosts.values().stream())
                .flatMap(table -> table.all().stream())
                .toList();
    }
}
