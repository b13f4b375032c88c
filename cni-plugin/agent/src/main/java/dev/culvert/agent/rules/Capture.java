package dev.culvert.agent.rules;

import dev.culvert.kube.object.Exclusions;

/// What of a pod is captured.
/// @param dns also its name lookups, by the proxy's DNS listener
/// @param inbound also what reaches it in clear; false for ingress pods, which still take HBONE
/// @param probes what of it passes by the proxy all the same
/// @param exclusions what else the pod's author keeps out
public record Capture(boolean dns, boolean inbound, Probes probes, Exclusions exclusions) {
    /// TCP in both directions.
    public static final Capture TCP = new Capture(false, true);

    /// Without a way past the proxy.
    public Capture(boolean dns, boolean inbound) {
        this(dns, inbound, new Probes.Proxied(), Exclusions.NOTHING);
    }

    public Capture with(Probes other) {
        return new Capture(dns, inbound, other, exclusions);
    }

    public Capture without(Exclusions other) {
        return new Capture(dns, inbound, probes, other);
    }
}
