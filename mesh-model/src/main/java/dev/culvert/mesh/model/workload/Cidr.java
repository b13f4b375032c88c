package dev.culvert.mesh.model.workload;

import java.net.InetAddress;

/// A range of addresses.
/// @param address its bits past `prefix` count for nothing
/// @param prefix bits, 0 to 32 or 128
public record Cidr(InetAddress address, int prefix) {
    public Cidr {
        var bits = address.getAddress().length * 8;
        if (prefix < 0 || prefix > bits) {
            throw new IllegalArgumentException("prefix length " + prefix + " is not within 0.." + bits);
        }
    }

    public boolean contains(InetAddress other) {
        var mine = address.getAddress();
        var theirs = other.getAddress();
        if (mine.length != theirs.length) {
            return false;
        }
        var whole = prefix / 8;
        for (var i = 0; i < whole; i++) {
            if (mine[i] != theirs[i]) {
                return false;
            }
        }
        var rest = prefix % 8;
        return rest == 0 || ((mine[whole] ^ theirs[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
    }

    @Override
    public String toString() {
        return Addresses.text(address) + "/" + prefix;
    }
}
