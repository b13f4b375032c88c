package dev.culvert.mesh.model.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.policy.Authorizer.Applicable;
import dev.culvert.mesh.model.policy.Match.Pair;
import dev.culvert.mesh.model.workload.Cidr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Istio's rules of evaluation; beside each hit its nearest miss.
class AuthorizerTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");
    private static final InetAddress HERE = InetAddress.ofLiteral("198.18.0.1");
    private static final InetSocketAddress TARGET = new InetSocketAddress(InetAddress.ofLiteral("198.18.0.2"), 8080);

    private static final ConnectionFacts TUNNEL = new ConnectionFacts(CART, HERE, TARGET);
    private static final ConnectionFacts PLAINTEXT = new ConnectionFacts(null, HERE, TARGET);

    private static final Match EMPTY =
            new Match(Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty());

    private static Match principals(List<StringMatch> any, List<StringMatch> none) {
        return new Match(Pair.empty(), new Pair<>(any, none), Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty());
    }

    private static Match namespaces(List<StringMatch> any, List<StringMatch> none) {
        return new Match(new Pair<>(any, none), Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty());
    }

    private static Match ports(List<Integer> any, List<Integer> none) {
        return new Match(Pair.empty(), Pair.empty(), Pair.empty(), Pair.empty(), new Pair<>(any, none), Pair.empty());
    }

    private static Match accounts(String namespace, String name) {
        var account = new Match.ServiceAccount(namespace, name);
        return new Match(
                Pair.empty(),
                Pair.empty(),
                Pair.empty(),
                Pair.empty(),
                Pair.empty(),
                new Pair<>(List.of(account), List.of()));
    }

    private static Match ips(@Nullable String source, @Nullable String destination) {
        return new Match(Pair.empty(), Pair.empty(), cidr(source), cidr(destination), Pair.empty(), Pair.empty());
    }

    private static Pair<Cidr> cidr(@Nullable String ip) {
        return ip == null ? Pair.empty() : new Pair<>(List.of(new Cidr(InetAddress.ofLiteral(ip), 24)), List.of());
    }

    private static Policy policy(String name, Policy.Action action, List<List<List<Match>>> rules) {
        return new Policy("shop", name, Policy.Scope.NAMESPACE, action, rules, false);
    }

    private static Policy dryRun(Policy of) {
        return new Policy(of.namespace(), of.name(), of.scope(), of.action(), of.rules(), true);
    }

    private static boolean matches(Match match, ConnectionFacts facts) {
        return policy("p", Policy.Action.DENY, List.of(List.of(List.of(match))))
                .matchingRule(facts)
                .isPresent();
    }

    private static Verdict decide(Policy... policies) {
        return Authorizer.decide(new Applicable(List.of(policies), null), TUNNEL);
    }

    @Test
    void anyRuleAllClausesAnyMatch() {
        var hit = ports(List.of(8080), List.of());
        var miss = ports(List.of(8081), List.of());
        var policy = policy(
                "p",
                Policy.Action.DENY,
                List.of(List.of(List.of(hit), List.of(miss)), List.of(List.of(miss, hit), List.of(hit))));
        assertThat(policy.matchingRule(TUNNEL)).hasValue(1);
        assertThat(policy("p", Policy.Action.DENY, List.of(List.of(List.of(hit), List.of(miss))))
                        .matchingRule(TUNNEL))
                .isEmpty();
    }

    @Test
    void anEmptyClauseIsTrueAnEmptyMatchFalseAndNoRulesNever() {
        assertThat(policy("p", Policy.Action.DENY, List.of(List.of(List.of()))).matchingRule(TUNNEL))
                .hasValue(0);
        assertThat(policy("p", Policy.Action.DENY, List.of(List.of(List.of(EMPTY))))
                        .matchingRule(TUNNEL))
                .isEmpty();
        assertThat(policy("p", Policy.Action.DENY, List.of()).matchingRule(TUNNEL))
                .isEmpty();
    }

    @Test
    void principalsAreComparedWithoutTheSchemeAndPlaintextHasNone() {
        var all = List.<StringMatch>of(new StringMatch.Presence());
        assertThat(matches(principals(List.of(exact("cluster.local/ns/shop/sa/cart")), List.of()), TUNNEL))
                .isTrue();
        assertThat(matches(principals(List.of(exact(CART.toString())), List.of()), TUNNEL))
                .isFalse();
        assertThat(matches(principals(List.of(new StringMatch.Prefix("cluster.local/ns/shop/")), List.of()), TUNNEL))
                .isTrue();
        assertThat(matches(principals(List.of(new StringMatch.Suffix("/sa/car")), List.of()), TUNNEL))
                .isFalse();
        assertThat(matches(principals(all, List.of()), TUNNEL)).isTrue();
        assertThat(matches(principals(all, List.of()), PLAINTEXT)).isFalse();
        // STRICT mTLS is said so: true of plaintext, false of any identity
        assertThat(matches(principals(List.of(), all), PLAINTEXT)).isTrue();
        assertThat(matches(principals(List.of(), all), TUNNEL)).isFalse();
    }

    @Test
    void namespacesAccountsAddressesAndPorts() {
        assertThat(matches(namespaces(List.of(exact("shop")), List.of()), TUNNEL))
                .isTrue();
        assertThat(matches(namespaces(List.of(exact("shop")), List.of()), PLAINTEXT))
                .isFalse();
        assertThat(matches(namespaces(List.of(), List.of(exact("shop"))), PLAINTEXT))
                .isTrue();
        assertThat(matches(accounts("shop", "cart"), TUNNEL)).isTrue();
        assertThat(matches(accounts("ops", "cart"), TUNNEL)).isFalse();
        assertThat(matches(accounts("shop", "cart"), PLAINTEXT)).isFalse();
        assertThat(matches(ips("198.18.0.99", null), TUNNEL)).isTrue();
        assertThat(matches(ips("198.18.1.99", null), TUNNEL)).isFalse();
        assertThat(matches(ips(null, "198.18.0.99"), TUNNEL)).isTrue();
        assertThat(matches(ips(null, "fd00::1"), TUNNEL)).isFalse();
        assertThat(matches(ports(List.of(8080), List.of()), TUNNEL)).isTrue();
        assertThat(matches(ports(List.of(15008), List.of()), TUNNEL)).isFalse();
        assertThat(matches(ports(List.of(), List.of(8080)), TUNNEL)).isFalse();
        assertThat(matches(ports(List.of(8080), List.of(8080)), TUNNEL)).isFalse();
    }

    private static StringMatch exact(String value) {
        return new StringMatch.Exact(value);
    }

    @Test
    void kindsOfOneMatchAreAnded() {
        var both = new Match(
                Pair.empty(),
                new Pair<>(List.of(exact("cluster.local/ns/shop/sa/cart")), List.of()),
                Pair.empty(),
                Pair.empty(),
                new Pair<>(List.of(9999), List.of()),
                Pair.empty());
        assertThat(matches(both, TUNNEL)).isFalse();
    }

    @Test
    void denyWinsThenAllowThenTheDefault() {
        var hit = List.of(List.of(List.of(ports(List.of(8080), List.of()))));
        var miss = List.of(List.of(List.of(ports(List.of(1), List.of()))));
        var deny = policy("deny", Policy.Action.DENY, hit);
        var allow = policy("allow", Policy.Action.ALLOW, hit);
        assertThat(decide().isAllowed()).isTrue();
        assertThat(decide(allow, deny).text()).isEqualTo("explicitly denied by: shop/deny (rule 0)");
        assertThat(decide(allow, policy("d", Policy.Action.DENY, miss)).isAllowed())
                .isTrue();
        assertThat(decide(policy("d", Policy.Action.DENY, miss)).isAllowed()).isTrue();
        assertThat(decide(policy("other", Policy.Action.ALLOW, miss), allow).isAllowed())
                .isTrue();
        assertThat(decide(policy("other", Policy.Action.ALLOW, miss)).text())
                .isEqualTo("allow policies exist, but none allowed: shop/other");
        assertThat(decide(policy("all", Policy.Action.ALLOW, List.of())).isAllowed())
                .isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void aDryRunDecidesNothing(Policy.Action action) {
        var hit = List.of(List.of(List.of(ports(List.of(8080), List.of()))));
        var verdict = decide(dryRun(policy("p", action, hit)));
        assertThat(verdict.isAllowed()).isTrue();
        assertThat(verdict.dryRun()).containsExactly("shop/p");
    }

    /// Istio skips what it does not know yet; here nothing passes until it is known.
    @Test
    void aPolicyThatIsNamedButUnknownRefuses() {
        var verdict = Authorizer.decide(new Applicable(List.of(), "shop/late"), TUNNEL);
        assertThat(verdict.isAllowed()).isFalse();
        assertThat(verdict.text()).contains("shop/late");
    }
}
