package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;

/// A `networking.istio.io` ServiceEntry: a service that is not one of Kubernetes.
///
/// @param hosts full names, or `*.suffix`
/// @param addresses those that users gave
/// @param selector labels of pods and WorkloadEntries that are its endpoints; empty without a selector
/// @param allocated what `status.addresses` says
public record ServiceEntry(
        Metadata metadata,
        List<String> hosts,
        List<IpBlock> addresses,
        List<Port> ports,
        Resolution resolution,
        List<WorkloadEntry.Spec> endpoints,
        Map<String, String> selector,
        List<String> subjectAltNames,
        List<Allocated> allocated,
        Place place)
        implements KubeObject {
    /// How the addresses of endpoints are found.
    public enum Resolution {
        NONE,
        STATIC,
        DNS,
        DNS_ROUND_ROBIN,
        DYNAMIC_DNS;

        public boolean byName() {
            return this == DNS || this == DNS_ROUND_ROBIN || this == DYNAMIC_DNS;
        }
    }

    /// One port.
    ///
    /// @param target the same as `number` unless said
    public record Port(String name, int number, int target, String protocol) {}

    /// An address that a controller chose for a host.
    public record Allocated(InetAddress address, String host) {}

    public ServiceEntry {
        hosts = List.copyOf(hosts);
        addresses = List.copyOf(addresses);
        ports = List.copyOf(ports);
        endpoints = List.copyOf(endpoints);
        selector = Map.copyOf(selector);
        subjectAltNames = List.copyOf(subjectAltNames);
        allocated = List.copyOf(allocated);
    }

    /// Whether it has a selector and the labels fit it.
    public boolean selects(Map<String, String> labels) {
        return !selector.isEmpty() && labels.entrySet().containsAll(selector.entrySet());
    }

    /// Whether a controller chooses an address for this host.
    public boolean wantsAddress(String host) {
        return resolution != Resolution.NONE
                && addresses.isEmpty()
                && (!host.startsWith("*") || resolution == Resolution.DYNAMIC_DNS)
                && metadata.label("networking.istio.io/enable-autoallocate-ip")
                        .filter("false"::equalsIgnoreCase)
                        .isEmpty();
    }

    /// Whether one of the addresses that users gave stands for it.
    public boolean covers(InetAddress address) {
        return addresses.stream().anyMatch(block -> block.contains(address));
    }

    public ServiceEntry withAllocated(List<Allocated> addressesOfHosts) {
        return new ServiceEntry(
                metadata,
                hosts,
                addresses,
                ports,
                resolution,
                endpoints,
                selector,
                subjectAltNames,
                addressesOfHosts,
                place);
    }
}
