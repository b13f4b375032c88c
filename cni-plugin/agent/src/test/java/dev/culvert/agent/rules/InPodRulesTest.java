package dev.culvert.agent.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class InPodRulesTest {
    @Test
    void everyRedirectMatchesOnlyTheFirstPacketOfAConnection() {
        var redirects = InPodRules.enrolled(new Capture(true, true))
                .lines()
                .filter(line -> line.contains("redirect to") && !line.contains("udp"))
                .toList();
        assertThat(redirects)
                .hasSize(6)
                .allSatisfy(rule -> assertThat(rule)
                        .contains("tcp flags & (fin|syn|rst|ack) == syn")
                        .contains("meta mark & 0xfff != 0x539")
                        .contains("daddr != "));
    }

    @Test
    void everyRuleHasACounterAndItsReason() {
        var rules = InPodRules.enrolled(new Capture(true, true))
                .lines()
                .filter(line -> line.startsWith("add rule") && !line.contains(" jump "))
                .toList();
        assertThat(rules)
                .isNotEmpty()
                .allSatisfy(rule -> assertThat(rule).containsPattern(" counter .* comment \".+\"$"));
    }

    @Test
    void passingRulesComeBeforeTheRedirect() {
        var output = InPodRules.enrolled(Capture.TCP)
                .lines()
                .filter(line -> line.startsWith("add rule inet istio-ambient-nat istio-output"))
                .toList();
        assertThat(output).hasSize(5);
        assertThat(output.get(0)).contains("meta mark & 0xfff == 0x111");
        assertThat(output.subList(1, 3)).allMatch(rule -> rule.contains("oifname \"lo\""));
        assertThat(output.subList(3, 5)).allMatch(rule -> rule.contains("redirect to :15001"));
    }

    @Test
    void releasingRedirectsNothingAndKeepsChainsAndMarks() {
        assertThat(InPodRules.releasing())
                .doesNotContain("redirect")
                .contains("type nat hook output", "ct mark set", "type route hook output priority -150");
    }

    /// An `nft` that does not know `persist` fails with a statement that makes a table which is there.
    @Test
    void noTextMakesATableThatCanBeOwned() {
        for (var text : List.of(
                InPodRules.tracking(),
                InPodRules.enrolled(Capture.TCP),
                InPodRules.enrolled(new Capture(true, true)),
                InPodRules.releasing(),
                InPodRules.deletion())) {
            assertThat(text)
                    .doesNotContainPattern("(add|create) table inet istio")
                    .contains("inet istio-ambient-mangle");
        }
    }
}
