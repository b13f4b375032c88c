package dev.culvert.cli.local;

import java.util.List;

/// Which addresses there are: all from the ranges set apart for benchmarks (RFC 2544, RFC 5180), so that they
/// are nobody's.
final class Addressing {
    static final String CONTROL_PLANE_V4 = "198.18.0.1";
    static final String CONTROL_PLANE_V6 = "2001:2::1";

    /// A name server where nobody is: ztunnel answers in its place where lookups are captured.
    private static final String NAME_SERVER = "198.19.255.53";

    private static final int MOST_NODES = 89;

    private Addressing() {}

    /// A pod's `/etc/resolv.conf`, as Kubernetes writes it.
    static String resolvConf(String namespace) {
        return """
                nameserver %s
                search %s.svc.cluster.local svc.cluster.local cluster.local
                options ndots:5
                """.formatted(NAME_SERVER, namespace);
    }

    /// One address of each family.
    record Pair(String v4, String v6) {
        List<String> both() {
            return List.of(v4, v6);
        }
    }

    /// @param number from 1
    record Node(int number) {
        Node {
            if (number < 1 || number > MOST_NODES) {
                throw new IllegalArgumentException("at most " + MOST_NODES + " nodes");
            }
        }

        Pair wire() {
            return new Pair("198.18.0." + (10 + number), "2001:2::" + (10 + number));
        }

        Pair podNet() {
            return new Pair("198.18." + (64 + number) + ".0/24", "2001:2:0:" + (40 + number) + "::/64");
        }

        Pair gateway() {
            return pod(1);
        }

        Pair ztunnel() {
            return pod(2);
        }

        /// @param host 3 and above for pods
        Pair pod(int host) {
            if (host > FreeHosts.LAST) {
                throw new IllegalArgumentException("at most " + FreeHosts.LAST + " addresses on a node");
            }
            return new Pair(
                    "198.18." + (64 + number) + "." + host,
                    "2001:2:0:" + (40 + number) + "::" + Integer.toHexString(host));
        }
    }

    /// The addresses of a Service.
    static Pair service(int number) {
        return new Pair(
                "198.19." + (number >> 8) + "." + (number & 0xff), "2001:2:0:ffff::" + Integer.toHexString(number));
    }
}
