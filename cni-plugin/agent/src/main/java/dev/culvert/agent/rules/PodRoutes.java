package dev.culvert.agent.rules;

/// The routing that brings marked replies back to the proxy, as input of `ip -batch -`; the same for both IP
/// families.
public final class PodRoutes {
    private static final String RULE = "fwmark 0x111/0xfff lookup 100 priority 32764\n";
    private static final String ROUTE = "local default dev lo table 100\n";

    private PodRoutes() {}

    /// A rule that is already there is reported as `File exists`, which is fine. In a pod that is just being made,
    /// `lo` may still be down: containerd brings it up beside the other plugins.
    public static String added() {
        return "link set lo up\nrule add " + RULE + "route replace " + ROUTE;
    }

    /// What is not there is reported, which is fine.
    public static String deleted() {
        return "rule del " + RULE + "route del " + ROUTE;
    }
}
