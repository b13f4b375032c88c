package dev.culvert.istiod.ingress;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// Which hosts a listener and a route have in common. `*.a` covers any number of labels before `.a`, and none not.
public final class Hosts {
    private Hosts() {}

    /// @param listener empty for all
    /// @param route empty for those of the listener; a host that is empty stands for all
    /// @return empty if there are none; a host that is empty stands for all
    public static List<String> common(String listener, List<String> route) {
        if (route.isEmpty()) {
            return List.of(listener);
        }
        var common = new LinkedHashSet<String>();
        route.forEach(host -> common(listener, host).ifPresent(common::add));
        return List.copyOf(common);
    }

    private static Optional<String> common(String listener, String host) {
        if (listener.isEmpty() || covers(listener, host)) {
            return Optional.of(host);
        }
        if (host.isEmpty()) {
            return Optional.of(listener);
        }
        return covers(host, listener) ? Optional.of(listener) : Optional.empty();
    }

    private static boolean covers(String wide, String host) {
        return wide.equals(host) || (wide.startsWith("*.") && host.endsWith(wide.substring(1)));
    }
}
