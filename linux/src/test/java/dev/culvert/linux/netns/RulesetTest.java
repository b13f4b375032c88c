package dev.culvert.linux.netns;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RulesetTest {
    @Test
    void eachChangeMakesAnotherNumberInItsNamespaceOnly() throws Exception {
        var path = Namespaces.add("ruleset");
        try (var netns = NetworkNamespace.open(path)) {
            var here = Ruleset.generation();
            int before = netns.call(Ruleset::generation);
            assertThat(netns.<Integer, Exception>call(Ruleset::generation)).isEqualTo(before);
            Namespaces.run("nsenter", "--net=" + path, "nft", "add table inet one");
            assertThat(netns.<Integer, Exception>call(Ruleset::generation)).isNotEqualTo(before);
            assertThat(Ruleset.generation()).isEqualTo(here);
        } finally {
            Namespaces.run("ip", "netns", "del", "ruleset");
        }
    }
}
