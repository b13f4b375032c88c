package dev.culvert.istiod.ambient;

import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.workload.Workload;
import java.util.Map;

/// Reads the policies that PeerAuthentications were turned into.
public final class PlaintextRules {
    private PlaintextRules() {}

    /// Whether a port of a workload refuses callers without an identity. A policy that nobody has refuses them.
    ///
    /// @param policies by name
    public static boolean refuse(Workload workload, int port, Map<String, Authorization> policies) {
        return workload.getAuthorizationPoliciesList().stream()
                .filter(PlaintextRules::isConverted)
                .anyMatch(key -> {
                    var policy = policies.get(key);
                    return policy == null
                            || policy.getRulesList().stream()
                                    .anyMatch(rule ->
                                            rule.getClausesList().stream().allMatch(clause -> holds(clause, port)));
                });
    }

    private static boolean isConverted(String key) {
        var name = key.substring(key.indexOf('/') + 1);
        return name.equals(PeerModes.STRICT_NAME) || name.startsWith(PeerModes.CONVERTED);
    }

    private static boolean holds(Clause clause, int port) {
        return clause.getMatchesList().stream().anyMatch(match -> holds(match, port));
    }

    /// For a caller without an identity.
    private static boolean holds(Match match, int port) {
        return (match.getDestinationPortsCount() == 0
                        || match.getDestinationPortsList().contains(port))
                && !match.getNotDestinationPortsList().contains(port);
    }
}
