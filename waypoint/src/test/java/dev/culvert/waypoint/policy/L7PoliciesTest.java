package dev.culvert.waypoint.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.protos.waypoint.Action;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.waypoint.TestRequest;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One row, one rule, one request: what ALLOW and DENY make of it.
class L7PoliciesTest {
    private static final Caller PORTAL = new Caller(
            new SpiffeId("cluster.local", "quay", "portal"),
            new InetSocketAddress(Addresses.parse("198.18.65.7").orElseThrow(), 40000),
            new InetSocketAddress(Addresses.parse("198.19.0.1").orElseThrow(), 8080));
    private static final Map<String, List<String>> CLAIMS = Map.of(
            "iss",
            List.of("i"),
            "sub",
            List.of("s"),
            "aud",
            List.of("x", "y"),
            "azp",
            List.of("z"),
            "a.b",
            List.of("1"));
    private static final TestRequest REQUEST =
            new TestRequest("GET", "Berth.test:8080", "/slots/7", "", Map.of("x-lane", List.of("a")), CLAIMS);

    private static L7Policies policies(Action action, String rule) throws Exception {
        var policy = TextFormat.parse("rules {" + rule + "}", Policy.class).toBuilder()
                .setName("p")
                .setNamespace("quay")
                .setAction(action)
                .build();
        return new L7Policies(List.of(policy));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | true",
                "from {attributes {kind: PRINCIPAL values {exact: 'cluster.local/ns/quay/sa/portal'}}} | true",
                "from {attributes {kind: PRINCIPAL values {exact: 'cluster.local/ns/quay/sa/customs'}}} | false",
                "from {attributes {kind: PRINCIPAL values {suffix: '/sa/portal'}}} | true",
                "from {attributes {kind: NAMESPACE not_values {exact: 'quay'}}} | false",
                "from {attributes {kind: SOURCE_IP blocks: '198.18.0.0/15'}} | true",
                "from {attributes {kind: SOURCE_IP blocks: '10.0.0.0/8'}} | false",
                "from {attributes {kind: REMOTE_IP not_blocks: '198.18.65.7'}} | false",
                "to {attributes {kind: METHOD values {exact: 'GET'}}} | true",
                "to {attributes {kind: METHOD values {exact: 'get'}}} | false",
                "to {attributes {kind: METHOD not_values {exact: 'POST'}}} | true",
                "to {attributes {kind: PATH values {prefix: '/slots/'}}} | true",
                "to {attributes {kind: PATH values {template: '/slots/{*}'}}} | true",
                "to {attributes {kind: PATH values {template: '/{*}'}}} | false",
                "to {attributes {kind: PATH values {template: '/{**}'}}} | true",
                "to {attributes {kind: HOST values {exact: 'berth.TEST:8080' ignore_case: true}}} | true",
                "to {attributes {kind: HOST values {exact: 'berth.test' ignore_case: true}}} | false",
                "to {attributes {kind: DESTINATION_PORT ports: 8080}} | true",
                "from {attributes {kind: TRUST_DOMAIN values {suffix: '.local'}}} | true",
                "from {attributes {kind: TRUST_DOMAIN not_values {exact: 'cluster.local'}}} | false",
                "from {attributes {kind: REQUEST_PRINCIPAL values {present: true}}} | true",
                "from {attributes {kind: REQUEST_PRINCIPAL values {exact: 'i/t'}}} | false",
                "from {attributes {kind: REQUEST_PRINCIPAL not_values {prefix: 'i/'}}} | false",
                "when {attributes {kind: AUDIENCE values {exact: 'y'}}} | true",
                "when {attributes {kind: AUDIENCE not_values {exact: 'x'}}} | false",
                "when {attributes {kind: PRESENTER values {exact: 'z'}}} | true",
                "when {attributes {kind: CLAIM path: 'a' path: 'b' values {exact: '1'}}} | true",
                "when {attributes {kind: CLAIM path: 'a' values {exact: '1'}}} | false",
                "to {attributes {kind: DESTINATION_PORT not_ports: 8080}} | false",
                "when {attributes {kind: HEADER name: 'x-lane' values {exact: 'a'}}} | true",
                "when {attributes {kind: HEADER name: 'x-none' values {present: true}}} | false",
                "when {attributes {kind: HEADER name: 'x-none' not_values {exact: 'a'}}} | true",
                "from {attributes {kind: NAMESPACE values {exact: 'quay'}} attributes {kind: METHOD values {exact: 'PUT'}}} | false",
                "to {attributes {kind: METHOD values {exact: 'PUT'}}} to {attributes {kind: PATH values {prefix: '/'}}} | true",
                "when {attributes {kind: NAMESPACE values {exact: 'x'}}} when {attributes {kind: PRINCIPAL values {prefix: 'c'}}} | false",
            })
    void ruleMatchesOrNot(String rule, boolean matches) throws Exception {
        assertThat(policies(Action.ALLOW, rule).decide(PORTAL, REQUEST).allowed())
                .isEqualTo(matches);
        assertThat(policies(Action.DENY, rule).decide(PORTAL, REQUEST).allowed())
                .isEqualTo(!matches);
        assertThat(policies(Action.CUSTOM, rule).decide(PORTAL, REQUEST).allowed())
                .isEqualTo(!matches);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "to {attributes {kind: METHOD values {exact: 'POST'}}}",
                "to {attributes {kind: PATH not_values {prefix: '/'}}}",
                "when {attributes {kind: HEADER name: 'x' not_values {exact: 'a'}}}",
                "from {attributes {kind: UNKNOWN name: 'requestPrincipals'}}",
            })
    void whatCannotBeEvaluatedNeverAllowsAndNeverSaves(String rule) throws Exception {
        assertThat(policies(Action.ALLOW, rule).decide(PORTAL, null).allowed()).isFalse();
        assertThat(policies(Action.DENY, rule).decide(PORTAL, null).allowed()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "REQUEST_PRINCIPAL values {present: true} | false",
                "REQUEST_PRINCIPAL not_values {exact: 'i/s'} | true",
                "AUDIENCE values {exact: 'x'} | false",
                "CLAIM path: 'a' values {present: true} | false",
            })
    void withoutATokenNothingOfATokenMatches(String attribute, boolean matches) throws Exception {
        var rule = "from {attributes {kind: " + attribute + "}}";
        var plain = TestRequest.of("GET", "/");
        assertThat(policies(Action.ALLOW, rule).decide(PORTAL, plain).allowed()).isEqualTo(matches);
        assertThat(policies(Action.DENY, rule).decide(PORTAL, plain).allowed()).isEqualTo(!matches);
    }

    @Test
    void auditsAndDryRunsDecideNothingAndAreTold() throws Exception {
        var audit = TextFormat.parse("name: 'a' namespace: 'n' action: AUDIT rules {}", Policy.class);
        var deny = TextFormat.parse("name: 'd' namespace: 'n' action: DENY dry_run: true rules {}", Policy.class);
        var allow = TextFormat.parse("name: 'w' namespace: 'n' dry_run: true", Policy.class);
        var policies = new L7Policies(List.of(audit, deny, allow));
        assertThat(policies.decide(PORTAL, REQUEST).allowed()).isTrue();
        assertThat(policies.told(PORTAL, REQUEST))
                .containsExactly(
                        new L7Policies.Told("n/a", "audit"),
                        new L7Policies.Told("n/d", "dry_run_denied"),
                        new L7Policies.Told("n/w", "dry_run_denied"));
    }

    @Test
    void withoutHttpTheRestOfADenyingRuleStillCounts() throws Exception {
        var rule = "from {attributes {kind: NAMESPACE values {exact: 'other'}}}"
                + " to {attributes {kind: PATH values {prefix: '/'}}}";
        assertThat(policies(Action.DENY, rule).decide(PORTAL, null).allowed()).isTrue();
    }

    @Test
    void anAllowWithoutRulesRefusesAndItsNameIsTold() {
        var empty = Policy.newBuilder().setName("p").setNamespace("quay").build();
        var decision = new L7Policies(List.of(empty)).decide(PORTAL, REQUEST);
        assertThat(decision.allowed()).isFalse();
        assertThat(decision.policy()).isEqualTo("quay/p");
        assertThat(L7Policies.NONE.decide(PORTAL, REQUEST).allowed()).isTrue();
    }
}
