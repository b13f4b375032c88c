package dev.culvert.mesh.model.state;

import dev.culvert.mesh.model.policy.Authorizer.Applicable;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/// The mesh at one moment: immutable, any thread may read it. [#with] shares what did not change, so a delta costs
/// what the delta holds, not what the mesh holds.
public final class MeshSnapshot {
    public static final MeshSnapshot EMPTY = new MeshSnapshot(
            new WorkloadIndex(HashTreePMap.empty(), HashTreePMap.empty(), HashTreePMap.empty()),
            HashTreePMap.empty(),
            new ServiceIndex(HashTreePMap.empty(), HashTreePMap.empty(), HashTreePMap.empty(), HashTreePMap.empty()),
            new PolicyIndex(HashTreePMap.empty(), HashTreePMap.empty(), TreePVector.empty()));

    /// `byHostname` holds those that have one: endpoints and gateways known by a DNS name.
    record WorkloadIndex(
            PMap<String, Workload> byUid,
            PMap<NetworkAddress, PVector<String>> byAddress,
            PMap<NamespacedHostname, PVector<String>> byHostname) {}

    /// `cidrs` holds the services with a CIDR address by network.
    record ServiceIndex(
            PMap<NamespacedHostname, Service> byKey,
            PMap<NetworkAddress, PVector<NamespacedHostname>> byVip,
            PMap<String, PVector<NamespacedHostname>> byHostname,
            PMap<String, PVector<NamespacedHostname>> cidrs) {}

    record PolicyIndex(PMap<String, Policy> byKey, PMap<String, PVector<String>> byNamespace, PVector<String> global) {}

    final WorkloadIndex workloads;
    /// Also of services that nobody has sent yet.
    final PMap<NamespacedHostname, PMap<String, Endpoint>> endpoints;

    final ServiceIndex services;
    final PolicyIndex policies;

    MeshSnapshot(
            WorkloadIndex workloads,
            PMap<NamespacedHostname, PMap<String, Endpoint>> endpoints,
            ServiceIndex services,
            PolicyIndex policies) {
        this.workloads = workloads;
        this.endpoints = endpoints;
        this.services = services;
        this.policies = policies;
    }

    /// This snapshot with the changes applied in order.
    public MeshSnapshot with(Collection<? extends Change> changes) {
        var edit = new SnapshotEdit(this);
        changes.forEach(edit::apply);
        return edit.done();
    }

    public Optional<Workload> workload(String uid) {
        return Optional.ofNullable(workloads.byUid.get(uid));
    }

    /// The workload with an address; among several the pod that speaks HBONE. Host-network workloads are never
    /// found so.
    public Optional<Workload> workloadAt(String network, InetAddress ip) {
        var uids = workloads.byAddress.get(new NetworkAddress(network, ip));
        return uids == null
                ? Optional.empty()
                : uids.stream().flatMap(uid -> workload(uid).stream()).max(Comparator.comparingInt(MeshSnapshot::rank));
    }

    /// The workload that is known by a DNS name; the first if there are several.
    public Optional<Workload> workloadByHostname(NamespacedHostname name) {
        var uids = workloads.byHostname.get(name);
        return uids == null ? Optional.empty() : workload(uids.getFirst());
    }

    private static int rank(Workload workload) {
        return (workload.uid().contains("//Pod/") ? 2 : 0) + (workload.speaksHbone() ? 1 : 0);
    }

    /// The workload of a pod on a node; any node if `node` is empty.
    public Optional<Workload> workloadOfPod(String node, String namespace, String name, String serviceAccount) {
        return workloads.byUid.values().stream()
                .filter(workload -> workload.name().equals(name)
                        && workload.namespace().equals(namespace)
                        && workload.names().serviceAccount().equals(serviceAccount)
                        && (node.isEmpty() || workload.place().node().equals(node)))
                .findFirst();
    }

    public Optional<Service> service(NamespacedHostname key) {
        return Optional.ofNullable(services.byKey.get(key));
    }

    /// The service that a client in `clientNamespace` means by an address: an exact VIP, else the longest CIDR.
    public Optional<Service> serviceAt(String network, InetAddress ip, String clientNamespace) {
        var exact = services.byVip.get(new NetworkAddress(network, ip));
        var best = exact == null ? Optional.<Service>empty() : prefer(exact, clientNamespace);
        return best.isPresent() ? best : serviceByCidr(network, ip, clientNamespace);
    }

    public Optional<Service> serviceByHostname(String hostname, String clientNamespace) {
        var keys = services.byHostname.get(hostname);
        return keys == null ? Optional.empty() : prefer(keys, clientNamespace);
    }

    /// All services of a hostname, whoever may see them, in the order in which they came.
    public List<Service> servicesByHostname(String hostname) {
        var keys = services.byHostname.get(hostname);
        return keys == null
                ? List.of()
                : keys.stream().flatMap(key -> service(key).stream()).toList();
    }

    /// Own namespace, then canonical, then first seen; invisible ones never.
    private Optional<Service> prefer(List<NamespacedHostname> keys, String clientNamespace) {
        return keys.stream()
                .flatMap(key -> service(key).stream())
                .filter(service -> service.visibleTo(clientNamespace))
                .min(Comparator.comparingInt(service -> preference(service, clientNamespace)));
    }

    private static int preference(Service service, String clientNamespace) {
        return service.namespace().equals(clientNamespace) ? 0 : service.canonical() ? 1 : 2;
    }

    private Optional<Service> serviceByCidr(String network, InetAddress ip, String clientNamespace) {
        record Hit(Service service, int prefix) {}
        var keys = services.cidrs.get(network);
        if (keys == null) {
            return Optional.empty();
        }
        return keys.stream()
                .flatMap(key -> service(key).stream())
                .filter(service -> service.visibleTo(clientNamespace))
                .flatMap(service -> service.cidrVips().stream()
                        .filter(vip ->
                                vip.network().equals(network) && vip.cidr().contains(ip))
                        .map(vip -> new Hit(service, vip.cidr().prefix())))
                .min(Comparator.comparing((Hit hit) -> !hit.service.namespace().equals(clientNamespace))
                        .thenComparingInt(hit -> -hit.prefix)
                        .thenComparing(hit -> !hit.service.canonical()))
                .map(Hit::service);
    }

    /// All endpoints of a service by workload uid, whatever their health.
    public Map<String, Endpoint> endpoints(NamespacedHostname service) {
        return endpoints.getOrDefault(service, HashTreePMap.empty());
    }

    /// The policies for one destination: of its namespace, of the mesh, and those it names.
    public Applicable policiesFor(Workload workload) {
        var found = new ArrayList<Policy>();
        policies.global.forEach(key -> found.add(policies.byKey.get(key)));
        policies.byNamespace
                .getOrDefault(workload.namespace(), TreePVector.empty())
                .forEach(key -> found.add(policies.byKey.get(key)));
        String missing = null;
        for (var key : workload.authorizationPolicies()) {
            var policy = policies.byKey.get(key);
            if (policy == null) {
                missing = key;
            } else if (!found.contains(policy)) { // whatever its scope: it is named
                found.add(policy);
            }
        }
        return new Applicable(List.copyOf(found), missing);
    }

    public Collection<Workload> workloads() {
        return workloads.byUid.values();
    }

    public Collection<Service> services() {
        return services.byKey.values();
    }

    public Collection<Policy> policies() {
        return policies.byKey.values();
    }

    /// Endpoints of services that nobody has sent, by `namespace/hostname`.
    public Map<NamespacedHostname, Map<String, Endpoint>> stagedEndpoints() {
        var staged = new HashMap<NamespacedHostname, Map<String, Endpoint>>();
        endpoints.forEach((key, value) -> {
            if (!services.byKey.containsKey(key)) {
                staged.put(key, value);
            }
        });
        return staged;
    }
}
