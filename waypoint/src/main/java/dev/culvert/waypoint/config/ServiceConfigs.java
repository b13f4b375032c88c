package dev.culvert.waypoint.config;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.proxy.xds.FurtherResources;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// All Services that are governed here. One thread applies, any may read.
public final class ServiceConfigs implements FurtherResources {
    public static final String TYPE = "type.googleapis.com/culvert.waypoint.v1.ServiceConfig";

    private record Leaving(GovernedService service, long untilNanos) {}

    /// Clients' nodes hear of a Service that leaves us at the same time as we do: what is on its way is
    /// served, and judged, as before.
    private static final Duration LEAVING = Duration.ofSeconds(5);

    private final Map<String, GovernedService> held = new LinkedHashMap<>();
    private final Map<NamespacedHostname, Leaving> leaving = new HashMap<>();
    private final Runnable changed;
    private Optional<GovernedService> gateway = Optional.empty();
    private volatile Snapshot current = new Snapshot(Map.of(), Map.of(), Optional.empty(), Optional.empty());

    /// All of them at one moment. Immutable.
    public static final class Snapshot {
        private final Map<NamespacedHostname, GovernedService> services;
        private final Map<NamespacedHostname, Leaving> leaving;
        private final Optional<GovernedService> pods;
        private final Optional<GovernedService> gateway;

        private Snapshot(
                Map<NamespacedHostname, GovernedService> services,
                Map<NamespacedHostname, Leaving> leaving,
                Optional<GovernedService> pods,
                Optional<GovernedService> gateway) {
            this.gateway = gateway;
            this.services = Map.copyOf(services);
            this.leaving = Map.copyOf(leaving);
            this.pods = pods;
        }

        /// Those of [#services], and a gateway's own.
        public List<GovernedService> all() {
            return Stream.concat(services().stream(), gateway.stream()).toList();
        }

        /// All that are governed, in the order of their names, with what is done with pods' own addresses.
        public List<GovernedService> services() {
            return Stream.concat(services.values().stream(), pods.stream())
                    .sorted(Comparator.comparing(one -> one.key().toString()))
                    .toList();
        }

        /// What is done with calls of pods' own addresses, if anything is.
        public Optional<GovernedService> pods() {
            return pods;
        }

        public Optional<GovernedService> service(NamespacedHostname key) {
            var found = services.get(key);
            if (found != null) {
                return Optional.of(found);
            }
            return Optional.ofNullable(leaving.get(key))
                    .filter(left -> left.untilNanos - System.nanoTime() > 0)
                    .map(Leaving::service);
        }

        /// The same Service as it is now.
        public Optional<GovernedService> again(GovernedService service) {
            if (gateway.filter(own -> own.key().equals(service.key())).isPresent()) {
                return gateway;
            }
            return service.ofPods() ? pods : service(service.key());
        }
    }

    /// @param changed called by the thread that applies; must not block
    public ServiceConfigs(Runnable changed) {
        this.changed = changed;
    }

    /// Take it once per decision.
    public Snapshot current() {
        return current;
    }

    @Override
    public String type() {
        return TYPE;
    }

    /// What requests from outside of the mesh are judged by; for the thread that applies.
    /// @param now its key is no Service's
    public void gateway(Optional<GovernedService> now) {
        gateway = now;
        publish();
    }

    /// A resource that cannot be understood leaves the Service as it was.
    @Override
    public Map<String, String> apply(DeltaDiscoveryResponse response) {
        var refused = new LinkedHashMap<String, String>();
        for (var resource : response.getResourcesList()) {
            try {
                var config = ServiceConfig.parseFrom(resource.getResource().getValue());
                held.put(resource.getName(), GovernedService.of(config));
            } catch (IllegalArgumentException | InvalidProtocolBufferException bad) {
                refused.put(resource.getName(), String.valueOf(bad.getMessage()));
            }
        }
        leaving.values().removeIf(left -> left.untilNanos - System.nanoTime() < 0);
        for (var name : response.getRemovedResourcesList()) {
            var left = held.remove(name);
            if (left != null && !left.ofPods()) {
                leaving.put(left.key(), new Leaving(left, System.nanoTime() + LEAVING.toNanos()));
            }
        }
        publish();
        return refused;
    }

    private void publish() {
        var services = new HashMap<NamespacedHostname, GovernedService>();
        Optional<GovernedService> pods = Optional.empty();
        for (var one : held.values()) {
            if (one.ofPods()) {
                pods = Optional.of(one);
            } else {
                services.put(one.key(), one);
            }
        }
        current = new Snapshot(services, leaving, pods, gateway);
        changed.run();
    }
}
