package dev.culvert.testkit.backend;

import java.net.InetAddress;

/// Which addresses there are: all from the ranges set apart for benchmarks (RFC 2544, RFC 5180), so that they
/// are nobody's. Nodes and pods count from 1.
public final class Addressing {
    private Addressing() {}

    /// A node's own on the wire.
    public static String wire(int node, boolean v4) {
        return v4 ? "198.18.0." + (10 + node) : "2001:2::" + (10 + node);
    }

    /// The range of a node's pods.
    public static String podNet(int node, boolean v4) {
        return v4 ? "198.18." + (64 + node) + ".0/24" : "2001:2:0:" + (40 + node) + "::/64";
    }

    /// What a node's pods send to.
    public static String gateway(int node, boolean v4) {
        return v4 ? "198.18." + (64 + node) + ".1" : "2001:2:0:" + (40 + node) + "::1";
    }

    public static InetAddress pod(int node, int pod, boolean v4) {
        if (pod > 250) {
            throw new IllegalArgumentException("at most 250 pods on a node");
        }
        return InetAddress.ofLiteral(
                v4
                        ? "198.18." + (64 + node) + "." + (1 + pod)
                        : "2001:2:0:" + (40 + node) + "::" + Integer.toHexString(1 + pod));
    }

    public static InetAddress vip(int service, boolean v4) {
        return InetAddress.ofLiteral(v4 ? "198.19.0." + service : "2001:2:0:ffff::" + Integer.toHexString(service));
    }
}
