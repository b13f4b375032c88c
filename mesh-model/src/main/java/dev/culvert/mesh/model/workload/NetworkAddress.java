package dev.culvert.mesh.model.workload;

import java.net.InetAddress;

/// An address within a network; the empty network is a network like any other.
public record NetworkAddress(String network, InetAddress address) {
    @Override
    public String toString() {
        return network + "/" + Addresses.text(address);
    }
}
