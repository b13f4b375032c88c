package dev.culvert.ztunnel.dns.lookup;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What names of this cluster look like.
/// @param domain of the cluster, such as `cluster.local`
/// @param preferredNamespace wins between services of one name, after the client's own and canonical ones; or null
/// @param ipv6 false: there are no AAAA records
/// @param search domains that resolvers append; if empty those of Kubernetes, whatever a pod's own `resolv.conf` says
public record Zone(String domain, @Nullable String preferredNamespace, boolean ipv6, List<String> search) {
    public Zone {
        domain = domain.toLowerCase(Locale.ROOT);
        search = List.copyOf(search);
    }

    public Zone(String domain, @Nullable String preferredNamespace, boolean ipv6) {
        this(domain, preferredNamespace, ipv6, List.of());
    }

    public Zone searching(List<String> domains) {
        return new Zone(domain, preferredNamespace, ipv6, domains);
    }

    List<String> searchDomains(String namespace) {
        return search.isEmpty() ? List.of(namespace + ".svc." + domain, "svc." + domain, domain) : search;
    }
}
