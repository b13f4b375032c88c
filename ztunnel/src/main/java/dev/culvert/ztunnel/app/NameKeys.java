package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.ztunnel.dns.DnsSettings;
import java.nio.file.Path;

/// Reads how names are resolved.
final class NameKeys {
    private NameKeys() {}

    static ZtunnelConfig.Names read(ConfigReader read, ZtunnelConfig.Place place) {
        var limits = DnsSettings.Limits.DEFAULTS;
        return new ZtunnelConfig.Names(
                read.string("CLUSTER_DOMAIN", "cluster.local", "DNS domain of the cluster"),
                "true".equalsIgnoreCase(place.metadata().getOrDefault("DNS_CAPTURE", "true")),
                address(read, place.metadata().getOrDefault("DNS_PROXY_ADDR", "localhost:15053")),
                read.optional(
                        "PREFERED_SERVICE_NAMESPACE",
                        "DNS: tie break between services of one name, after the client's namespace and canonical ones"),
                read.path(
                        "CULVERT_RESOLV_CONF",
                        Path.of("/etc/resolv.conf"),
                        "DNS: its name servers are asked, from the pod's network, for what the mesh does not know"),
                new DnsSettings.Limits(
                        read.duration("CULVERT_DNS_TIMEOUT", limits.forward(), "DNS: bound of asking the name servers"),
                        read.integer(
                                "CULVERT_DNS_PENDING",
                                limits.pending(),
                                1,
                                1_000_000,
                                "DNS: questions that wait for an answer; further ones get SERVFAIL"),
                        read.integer(
                                "CULVERT_DNS_PENDING_PER_POD",
                                limits.pendingOfPod(),
                                1,
                                1_000_000,
                                "DNS: such questions of one pod"),
                        read.integer(
                                "CULVERT_DNS_CONNECTIONS_PER_POD",
                                limits.connectionsOfPod(),
                                1,
                                1_000_000,
                                "DNS: TCP connections of one pod")));
    }

    /// Not reachable from elsewhere: a DNS proxy for everybody serves attackers.
    private static String address(ConfigReader read, String text) {
        try {
            if (DnsSettings.address(text, true).stream()
                    .allMatch(address -> address.getAddress().isLoopbackAddress())) {
                return text;
            }
        } catch (IllegalArgumentException _) {
            return refused(read, text, "expected localhost:port, or a loopback address and port");
        }
        return refused(read, text, "only a loopback address, such as localhost:15053");
    }

    private static String refused(ConfigReader read, String text, String why) {
        read.refuse("DNS_PROXY_ADDR (of ISTIO_META_DNS_PROXY_ADDR or ProxyConfig) \"" + text + "\": " + why);
        return "localhost:15053";
    }
}
