package dev.culvert.mesh.model.state;

import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/// The making of the next snapshot; used by one thread and thrown away.
final class SnapshotEdit {
    private PMap<String, Workload> workloads;
    private PMap<NetworkAddress, PVector<String>> workloadsByAddress;
    private PMap<NamespacedHostname, PVector<String>> workloadsByHostname;
    private PMap<NamespacedHostname, PMap<String, Endpoint>> endpoints;
    private PMap<NamespacedHostname, Service> services;
    private PMap<NetworkAddress, PVector<NamespacedHostname>> byVip;
    private PMap<String, PVector<NamespacedHostname>> byHostname;
    private PMap<String, PVector<NamespacedHostname>> cidrs;
    private PMap<String, Policy> policies;
    private PMap<String, PVector<String>> policiesByNamespace;
    private PVector<String> globalPolicies;

    SnapshotEdit(MeshSnapshot from) {
        workloads = from.workloads.byUid();
        workloadsByAddress = from.workloads.byAddress();
        workloadsByHostname = from.workloads.byHostname();
        endpoints = from.endpoints;
        services = from.services.byKey();
        byVip = from.services.byVip();
        byHostname = from.services.byHostname();
        cidrs = from.services.cidrs();
        policies = from.policies.byKey();
        policiesByNamespace = from.policies.byNamespace();
        globalPolicies = from.policies.global();
    }

    void apply(Change change) {
        switch (change) {
            case Change.PutWorkload(var workload) -> {
                removeWorkload(workload.uid());
                insertWorkload(workload);
            }
            case Change.PutService(var service) -> {
                removeService(service.key());
                insertService(service);
            }
            case Change.RemoveAddress(var resource) -> removeAddress(resource);
            case Change.PutPolicy(var policy) -> {
                removePolicy(policy.key());
                insertPolicy(policy);
            }
            case Change.RemovePolicy(var key) -> removePolicy(key);
        }
    }

    MeshSnapshot done() {
        return new MeshSnapshot(
                new MeshSnapshot.WorkloadIndex(workloads, workloadsByAddress, workloadsByHostname),
                endpoints,
                new MeshSnapshot.ServiceIndex(services, byVip, byHostname, cidrs),
                new MeshSnapshot.PolicyIndex(policies, policiesByNamespace, globalPolicies));
    }

    private void removeAddress(String resource) {
        if (workloads.containsKey(resource)) {
            removeWorkload(resource);
        } else {
            NamespacedHostname.parse(resource).ifPresent(this::removeService);
        }
    }

    private void insertWorkload(Workload workload) {
        workloads = workloads.plus(workload.uid(), workload);
        if (!workload.place().hostNetwork()) {
            for (var ip : workload.addresses()) {
                var address = new NetworkAddress(workload.network(), ip);
                workloadsByAddress = add(workloadsByAddress, address, workload.uid());
            }
        }
        if (!workload.hostname().isEmpty()) {
            workloadsByHostname = add(workloadsByHostname, byName(workload), workload.uid());
        }
        workload.services().forEach((service, ports) -> {
            var of = endpoints.getOrDefault(service, HashTreePMap.empty());
            endpoints = endpoints.plus(service, of.plus(workload.uid(), new Endpoint(workload.uid(), ports)));
        });
    }

    private void removeWorkload(String uid) {
        var old = workloads.get(uid);
        if (old == null) {
            return;
        }
        workloads = workloads.minus(uid);
        for (var ip : old.addresses()) {
            workloadsByAddress = remove(workloadsByAddress, new NetworkAddress(old.network(), ip), uid);
        }
        if (!old.hostname().isEmpty()) {
            workloadsByHostname = remove(workloadsByHostname, byName(old), uid);
        }
        for (var service : old.services().keySet()) {
            var rest = endpoints.getOrDefault(service, HashTreePMap.empty()).minus(uid);
            endpoints = rest.isEmpty() ? endpoints.minus(service) : endpoints.plus(service, rest);
        }
    }

    private static NamespacedHostname byName(Workload workload) {
        return new NamespacedHostname(workload.namespace(), workload.hostname());
    }

    private void insertService(Service service) {
        var key = service.key();
        services = services.plus(key, service);
        byHostname = add(byHostname, key.hostname(), key);
        for (var vip : service.vips()) {
            byVip = add(byVip, vip, key);
        }
        for (var vip : service.cidrVips()) {
            if (!cidrs.getOrDefault(vip.network(), TreePVector.empty()).contains(key)) {
                cidrs = add(cidrs, vip.network(), key);
            }
        }
    }

    private void removeService(NamespacedHostname key) {
        var old = services.get(key);
        if (old == null) {
            return;
        }
        services = services.minus(key);
        byHostname = remove(byHostname, key.hostname(), key);
        for (var vip : old.vips()) {
            byVip = remove(byVip, vip, key);
        }
        for (var vip : old.cidrVips()) {
            cidrs = remove(cidrs, vip.network(), key);
        }
    }

    private void insertPolicy(Policy policy) {
        policies = policies.plus(policy.key(), policy);
        switch (policy.scope()) {
            case GLOBAL -> globalPolicies = globalPolicies.plus(policy.key());
            case NAMESPACE -> policiesByNamespace = add(policiesByNamespace, policy.namespace(), policy.key());
            case WORKLOAD_SELECTOR -> {}
        }
    }

    private void removePolicy(String key) {
        var old = policies.get(key);
        if (old == null) {
            return;
        }
        policies = policies.minus(key);
        globalPolicies = globalPolicies.minus(key);
        policiesByNamespace = remove(policiesByNamespace, old.namespace(), key);
    }

    private static <K, V> PMap<K, PVector<V>> add(PMap<K, PVector<V>> index, K key, V value) {
        return index.plus(key, index.getOrDefault(key, TreePVector.empty()).plus(value));
    }

    private static <K, V> PMap<K, PVector<V>> remove(PMap<K, PVector<V>> index, K key, V value) {
        var values = index.get(key);
        if (values == null) {
            return index;
        }
        var rest = values.minus(value);
        return rest.isEmpty() ? index.minus(key) : index.plus(key, rest);
    }
}
