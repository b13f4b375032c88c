package dev.culvert.waypoint.upstream;

import java.net.InetAddress;
import java.util.function.Predicate;

/// How connections are opened that are no tunnels.
/// @param admitted the addresses that may be dialled: who writes a ServiceEntry says some of them
public record Outside(int connectMillis, HostLookup names, Predicate<InetAddress> admitted) {
    /// What is not on this machine: a waypoint's own pages listen on loopback.
    public static Outside of(int connectMillis, HostLookup names) {
        return new Outside(
                connectMillis,
                names,
                address ->
                        !address.isLoopbackAddress() && !address.isAnyLocalAddress() && !address.isMulticastAddress());
    }
}
