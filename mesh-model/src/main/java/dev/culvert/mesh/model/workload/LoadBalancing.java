package dev.culvert.mesh.model.workload;

import java.util.List;

/// How an endpoint of a service is chosen.
public record LoadBalancing(List<Scope> routingPreferences, Mode mode, HealthPolicy healthPolicy) {
    public static final LoadBalancing STANDARD = new LoadBalancing(List.of(), Mode.STANDARD, HealthPolicy.ONLY_HEALTHY);

    public LoadBalancing {
        routingPreferences = List.copyOf(routingPreferences);
    }

    public enum Scope {
        REGION,
        ZONE,
        SUBZONE,
        NODE,
        CLUSTER,
        NETWORK
    }

    public enum Mode {
        STANDARD,
        STRICT,
        FAILOVER,
        PASSTHROUGH
    }

    public enum HealthPolicy {
        ONLY_HEALTHY,
        ALLOW_ALL
    }
}
