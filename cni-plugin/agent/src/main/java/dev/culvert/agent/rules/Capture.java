package dev.culvert.agent.rules;

/// What of a pod is captured.
/// @param dns also its name lookups, by the proxy's DNS listener
/// @param inbound also what reaches it in clear; false for ingress pods, which still take HBONE
public record Capture(boolean dns, boolean inbound) {
    /// TCP in both directions.
    public static final Capture TCP = new Capture(false, true);
}
