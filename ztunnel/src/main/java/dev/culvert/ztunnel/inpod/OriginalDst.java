package dev.culvert.ztunnel.inpod;

import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetSocketAddress;

/// Where the downstream wanted to go, before redirection. IPv4-mapped IPv6 is plain IPv4 from here on.
public record OriginalDst(InetSocketAddress addr) {
    public OriginalDst {
        addr = Addresses.canonical(addr);
    }
}
