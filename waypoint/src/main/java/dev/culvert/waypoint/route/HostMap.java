package dev.culvert.waypoint.route;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Values by host: `a.b` before `*.b` before the one for all hosts. Immutable.
public final class HostMap<T> {
    private static final String ALL = "";

    private final Map<String, T> values;

    /// @param values by `a.b`, `*.b` or nothing
    /// @throws IllegalArgumentException for what is none of these
    public HostMap(Map<String, T> values) {
        var kept = new HashMap<String, T>();
        values.forEach((host, value) -> {
            if (host.indexOf('*') > 0 || (host.startsWith("*") && !host.startsWith("*."))) {
                throw new IllegalArgumentException("not a host: " + host);
            }
            kept.put(host.toLowerCase(Locale.ROOT), value);
        });
        this.values = Map.copyOf(kept);
    }

    public Collection<T> values() {
        return List.copyOf(values.values());
    }

    /// @param authority with or without port
    public Optional<T> find(String authority) {
        var host = host(authority);
        var exact = host.isEmpty() ? null : values.get(host);
        if (exact != null) {
            return Optional.of(exact);
        }
        for (var dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
            var wild = values.get("*" + host.substring(dot));
            if (wild != null) {
                return Optional.of(wild);
            }
        }
        return Optional.ofNullable(values.get(ALL));
    }

    /// In lower case, without port and last dot.
    public static String host(String authority) {
        var colon = authority.lastIndexOf(':');
        var bracket = authority.lastIndexOf(']');
        var host = colon > bracket ? authority.substring(0, colon) : authority;
        return (host.endsWith(".") ? host.substring(0, host.length() - 1) : host).toLowerCase(Locale.ROOT);
    }
}
