package dev.culvert.testkit;

import dev.culvert.mesh.model.policy.Match;
import dev.culvert.mesh.model.policy.Match.Pair;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.state.Change;
import java.util.Arrays;
import java.util.List;

/// An authorization policy of one workload; each verb is in force when it returns, for new connections.
public final class TestPolicy {
    private final Mesh mesh;
    private final String name;
    private final TestWorkload workload;

    TestPolicy(Mesh mesh, String name, TestWorkload workload) {
        this.mesh = mesh;
        this.name = name;
        this.workload = workload;
    }

    private String key() {
        return workload.namespace() + "/" + name;
    }

    /// Nothing from these callers.
    public TestPolicy deny(TestWorkload... callers) {
        return put(Policy.Action.DENY, new Pair<>(principals(callers), List.of()));
    }

    /// Only noted: nothing from these callers.
    public TestPolicy dryRunDeny(TestWorkload... callers) {
        return put(Policy.Action.DENY, ofPrincipals(new Pair<>(principals(callers), List.of())), true);
    }

    /// Nothing but from these callers.
    public TestPolicy allow(TestWorkload... callers) {
        return put(Policy.Action.ALLOW, new Pair<>(principals(callers), List.of()));
    }

    /// Nothing in clear (PeerAuthentication STRICT, as the controller says it).
    public TestPolicy strict() {
        return put(Policy.Action.DENY, new Pair<>(List.of(), List.of(new StringMatch.Presence())));
    }

    private static List<StringMatch> principals(TestWorkload... callers) {
        return Arrays.stream(callers)
                .map(caller ->
                        (StringMatch) new StringMatch.Exact(caller.identity().principal()))
                .toList();
    }

    /// Nothing but to this port.
    public TestPolicy allowPort(int port) {
        return put(
                Policy.Action.ALLOW,
                new Match(
                        Pair.empty(),
                        Pair.empty(),
                        Pair.empty(),
                        Pair.empty(),
                        new Pair<>(List.of(port), List.of()),
                        Pair.empty()),
                false);
    }

    private TestPolicy put(Policy.Action action, Pair<StringMatch> principals) {
        return put(action, ofPrincipals(principals), false);
    }

    private static Match ofPrincipals(Pair<StringMatch> principals) {
        return new Match(Pair.empty(), principals, Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty());
    }

    private TestPolicy put(Policy.Action action, Match match, boolean dryRun) {
        var rules = List.of(List.of(List.of(match)));
        mesh.publish(
                "policy " + key(),
                new Change.PutPolicy(
                        new Policy(workload.namespace(), name, Policy.Scope.WORKLOAD_SELECTOR, action, rules, dryRun)));
        workload.addPolicy(key());
        return this;
    }

    public void remove() {
        workload.removePolicy(key());
        mesh.withdraw("policy " + key(), new Change.RemovePolicy(key()));
    }
}
