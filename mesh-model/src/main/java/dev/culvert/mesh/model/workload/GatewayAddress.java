package dev.culvert.mesh.model.workload;

/// Where a waypoint or network gateway is found.
public record GatewayAddress(Destination destination, int hboneMtlsPort) {
    public GatewayAddress {
        Ports.require(hboneMtlsPort);
    }

    public sealed interface Destination {}

    public record ByHostname(NamespacedHostname name) implements Destination {
        @Override
        public String toString() {
            return name.toString();
        }
    }

    public record ByAddress(NetworkAddress address) implements Destination {
        @Override
        public String toString() {
            return address.toString();
        }
    }
}
