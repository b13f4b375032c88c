package dev.culvert.istiod.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.workload.Address;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// What a client is told that asks for addresses by name: what it asked for, the endpoints of the services among
/// these, and the pods of its node. Pure; costs a walk over all addresses.
final class OnDemand {
    private OnDemand() {}

    /// @param asked names and aliases
    /// @param node the client's, "" if it did not say
    /// @return names of resources; a name that nothing has stays as it was asked
    static Set<String> names(Map<String, Resource> all, Set<String> asked, String node) {
        var byAlias = new HashMap<String, String>();
        all.values()
                .forEach(
                        resource -> resource.getAliasesList().forEach(alias -> byAlias.put(alias, resource.getName())));
        var told = new LinkedHashSet<String>();
        asked.forEach(name -> told.add(byAlias.getOrDefault(name, name)));
        var services = new HashSet<>(told);
        workloads(all).forEach((name, address) -> {
            var workload = address.getWorkload();
            var here = !node.isEmpty() && workload.getNode().equals(node);
            if (here || workload.getServicesMap().keySet().stream().anyMatch(services::contains)) {
                told.add(name);
            }
        });
        return told;
    }

    private static Map<String, Address> workloads(Map<String, Resource> all) {
        var workloads = new LinkedHashMap<String, Address>();
        all.forEach((name, resource) -> {
            try {
                var address = Address.parseFrom(resource.getResource().getValue());
                if (address.hasWorkload()) {
                    workloads.put(name, address);
                }
            } catch (InvalidProtocolBufferException impossible) {
                throw new IllegalStateException("we have encoded it ourselves: " + name, impossible);
            }
        });
        return workloads;
    }
}
