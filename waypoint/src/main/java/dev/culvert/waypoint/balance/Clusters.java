package dev.culvert.waypoint.balance;

import java.util.concurrent.ConcurrentHashMap;

/// All clusters of this process. Thread-safe.
public final class Clusters {
    private static final int MANY = 10_000;

    private final ConcurrentHashMap<ClusterSpec.Key, Cluster> all = new ConcurrentHashMap<>();

    /// The one that is used already; else one that nobody keeps.
    public Cluster peek(ClusterSpec spec) {
        return all.getOrDefault(spec.key(), new Cluster());
    }

    public Cluster of(ClusterSpec spec) {
        var found = all.get(spec.key());
        if (found == null) {
            if (all.size() >= MANY) {
                all.values().removeIf(Cluster::isIdle);
            }
            found = all.computeIfAbsent(spec.key(), _ -> new Cluster());
        }
        return found;
    }
}
