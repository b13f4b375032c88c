package dev.culvert.ztunnel.dns;

import dev.culvert.ztunnel.dns.lookup.Zone;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// How names are resolved.
/// @param listen in each pod; loopback addresses
/// @param resolvConf names the servers that are asked for what the mesh does not know
public record DnsSettings(List<InetSocketAddress> listen, Zone zone, Path resolvConf, Limits limits) {
    public DnsSettings {
        listen = List.copyOf(listen);
    }

    /// With the search list of the process's own `resolv.conf`, as dedicated mode wants it.
    public DnsSettings withOwnSearchList() {
        return new DnsSettings(
                listen, zone.searching(ResolvConf.read(resolvConf).search()), resolvConf, limits);
    }

    /// @param forward bound of asking others for one name, all servers together
    /// @param pending questions of this process that wait for something, xDS or a server
    /// @param pendingOfPod of one pod
    /// @param connectionsOfPod by TCP
    public record Limits(Duration forward, int pending, int pendingOfPod, int connectionsOfPod) {
        public static final Limits DEFAULTS = new Limits(Duration.ofSeconds(5), 4096, 256, 64);
    }

    /// Reads `localhost:15053` (both families, IPv6 where there is one), or `ip:port`.
    /// @throws IllegalArgumentException if it is neither
    public static List<InetSocketAddress> address(String text, boolean ipv6) {
        var colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(text);
        }
        var port = Integer.parseInt(text.substring(colon + 1));
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException(text);
        }
        var host = text.substring(0, colon);
        if (host.equals("localhost")) {
            var four = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
            return ipv6 ? List.of(four, new InetSocketAddress(InetAddress.ofLiteral("::1"), port)) : List.of(four);
        }
        var ip = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        return List.of(new InetSocketAddress(InetAddress.ofLiteral(ip), port));
    }
}
