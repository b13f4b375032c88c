package dev.culvert.mesh.model.workload;

import java.util.Optional;

/// A service's key in the workload xDS: `<namespace>/<hostname>`.
public record NamespacedHostname(String namespace, String hostname) {
    public static Optional<NamespacedHostname> parse(String key) {
        var slash = key.indexOf('/');
        if (slash < 0 || key.indexOf('/', slash + 1) >= 0) {
            return Optional.empty();
        }
        return Optional.of(new NamespacedHostname(key.substring(0, slash), key.substring(slash + 1)));
    }

    @Override
    public String toString() {
        return namespace + "/" + hostname;
    }
}
