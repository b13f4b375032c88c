package dev.culvert.ztunnel.dns.lookup;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What names of this cluster look like.
/// @param domain of the cluster, such as `cluster.local`
/// @param preferredNamespace wins between services of one name, after the client's own and canonical ones; or null
/// @param ipv6 false: there are no AAAA records
public record Zone(String domain, @Nullable String preferredNamespace, boolean ipv6) {
    public Zone {
        domain = domain.toLowerCase(Locale.ROOT);
    }

    /// Domains that resolvers append, in their order. The pod's own `resolv.conf` is not read.
    List<String> searchDomains(String namespace) {
        return List.of(namespace + ".svc." + domain, "svc." + domain, domain);
    }
}
