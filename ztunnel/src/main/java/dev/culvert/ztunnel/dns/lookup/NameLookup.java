package dev.culvert.ztunnel.dns.lookup;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Decides what a name means to one client, over one snapshot (Istio ztunnel's order). Pure but for the dice.
public final class NameLookup {
    private final MeshSnapshot mesh;
    private final Workload client;
    private final Zone zone;
    private final RandomGenerator random;

    /// A name to look for.
    /// @param stripped the asked name without a search domain, or null if it was taken whole
    private record Candidate(String name, @Nullable String stripped) {}

    public NameLookup(MeshSnapshot mesh, Workload client, Zone zone, RandomGenerator random) {
        this.mesh = mesh;
        this.client = client;
        this.zone = zone;
        this.random = random;
    }

    /// @param name in lower case, without final dot
    /// @param ipv4 whether IPv4 addresses are wanted, or IPv6 ones
    /// @return empty for a name that is none of the mesh's: others must be asked
    public Optional<Found> find(String name, boolean ipv4) {
        for (var candidate : candidates(name)) {
            var exact = service(candidate.name);
            if (exact.isPresent()) {
                return Optional.of(found(exact.get(), candidate.stripped, ipv4));
            }
            for (var dot = candidate.name.indexOf('.'); dot >= 0; dot = candidate.name.indexOf('.', dot + 1)) {
                var wildcard = service("*" + candidate.name.substring(dot));
                if (wildcard.isPresent()) {
                    return Optional.of(found(wildcard.get(), null, ipv4));
                }
            }
        }
        return Optional.empty();
    }

    private List<Candidate> candidates(String name) {
        var all = new ArrayList<Candidate>();
        all.add(new Candidate(name, null));
        expansions(name).forEach(expansion -> all.add(new Candidate(expansion, null)));
        for (var domain : zone.searchDomains(client.namespace())) {
            if (name.length() > domain.length() + 1 && name.endsWith("." + domain)) {
                var stripped = name.substring(0, name.length() - domain.length() - 1);
                all.add(new Candidate(stripped, stripped));
                expansions(stripped).forEach(expansion -> all.add(new Candidate(expansion, stripped)));
            }
        }
        return all;
    }

    /// The full names that a short name of Kubernetes may mean.
    private List<String> expansions(String name) {
        var labels = name.chars().filter(c -> c == '.').count() + 1;
        var svc = ".svc." + zone.domain();
        var own = "." + client.namespace() + svc;
        if (labels == 1) {
            return List.of(name + own);
        }
        if (labels == 2) {
            return List.of(name + svc, name + own);
        }
        var endsInSvc = name.endsWith(".svc");
        if (labels == 3) {
            return endsInSvc ? List.of(name + "." + zone.domain(), name + svc) : List.of(name + svc);
        }
        return labels == 4 && endsInSvc ? List.of(name + "." + zone.domain()) : List.of();
    }

    private Optional<Service> service(String hostname) {
        return mesh.servicesByHostname(hostname).stream()
                .filter(service -> service.visibleTo(client.namespace()) && isAnswered(service))
                .min(Comparator.comparingInt(this::preference));
    }

    /// Without an address only a Service of Kubernetes means its endpoints; others are left to who knows them.
    private boolean isAnswered(Service service) {
        return !service.vips().isEmpty() || service.hostname().endsWith(".svc." + zone.domain());
    }

    private int preference(Service service) {
        if (service.namespace().equals(client.namespace())) {
            return 0;
        }
        return service.canonical() ? 1 : service.namespace().equals(zone.preferredNamespace()) ? 2 : 3;
    }

    private Found found(Service service, @Nullable String stripped, boolean ipv4) {
        if (!hasFamily(service, ipv4)) {
            return new Found(null, List.of(), Found.NO_SUCH_FAMILY);
        }
        var addresses = addresses(service, ipv4);
        if (addresses.isEmpty()) {
            return new Found(null, List.of(), Found.NO_RECORDS);
        }
        Collections.shuffle(addresses, Random.from(random));
        return new Found(stripped, addresses, Found.SUCCESS);
    }

    private boolean hasFamily(Service service, boolean ipv4) {
        return switch (service.ipFamilies()) {
            case AUTOMATIC, DUAL -> ipv4 || zone.ipv6();
            case IPV4_ONLY -> ipv4;
            case IPV6_ONLY -> !ipv4 && zone.ipv6();
        };
    }

    private List<InetAddress> addresses(Service service, boolean ipv4) {
        var all = new ArrayList<InetAddress>();
        if (service.vips().isEmpty()) {
            for (var endpoint : mesh.endpoints(service.key()).values()) {
                mesh.workload(endpoint.workloadUid())
                        .filter(workload -> mayBeChosen(service, workload))
                        .flatMap(workload -> workload.addresses().stream()
                                .filter(ip -> isFamily(ip, ipv4))
                                .findFirst())
                        .ifPresent(all::add);
            }
        } else {
            service.vips().stream()
                    .filter(vip -> vip.network().equals(client.network()))
                    .map(NetworkAddress::address)
                    .filter(ip -> isFamily(ip, ipv4))
                    .forEach(all::add);
        }
        return all;
    }

    /// As endpoints of connections are chosen.
    private static boolean mayBeChosen(Service service, Workload workload) {
        return workload.healthy() || service.loadBalancing().healthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
    }

    private static boolean isFamily(InetAddress ip, boolean ipv4) {
        return ip instanceof Inet4Address == ipv4;
    }
}
