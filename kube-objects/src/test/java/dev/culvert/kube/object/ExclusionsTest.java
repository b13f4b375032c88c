package dev.culvert.kube.object;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExclusionsTest {
    @Test
    void portsAndBlocks() {
        var exclusions = Exclusions.of(Map.of(
                "culvert.dev/exclude-inbound-ports", "9090, 8080",
                "culvert.dev/exclude-outbound-ports", "5432",
                "culvert.dev/exclude-outbound-cidrs", "198.18.0.0/16, fd00::/8, 198.19.0.1",
                "other", "1"));
        assertThat(exclusions.problems()).isEmpty();
        assertThat(exclusions.openings())
                .containsExactly(
                        "inbound port 8080",
                        "inbound port 9090",
                        "outbound port 5432",
                        "outbound 198.18.0.0/16",
                        "outbound fd00:0:0:0:0:0:0:0/8",
                        "outbound 198.19.0.1/32");
    }

    /// Nothing is excluded by half of an annotation.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "culvert.dev/exclude-inbound-ports | 80,http | \"http\" is not a port from 1 to 65535",
                "culvert.dev/exclude-inbound-ports | 80,70000 | \"70000\" is not a port from 1 to 65535",
                "culvert.dev/exclude-outbound-ports | , | \"\" is not a port from 1 to 65535",
                "culvert.dev/exclude-outbound-cidrs | fd00::/8,db.test | \"db.test\" is not ADDRESS/LENGTH",
                "culvert.dev/exclude-outbound-cidrs | 198.18.0.0/33 | \"198.18.0.0/33\" is not ADDRESS/LENGTH"
            })
    void aMistakeExcludesNothing(String name, String text, String problem) {
        var exclusions = Exclusions.of(Map.of(name, text));
        assertThat(exclusions.openings()).isEmpty();
        assertThat(exclusions.problems()).containsExactly(name + " has no effect: " + problem);
    }

    @Test
    void sidecarAnnotationsAreWarnedOf() {
        assertThat(Exclusions.of(Map.of("traffic.sidecar.istio.io/excludeInboundPorts", "80"))
                        .problems())
                .singleElement()
                .asString()
                .startsWith(
                        "traffic.sidecar.istio.io/excludeInboundPorts is for sidecars and has no effect; use culvert.dev/");
    }

    @Test
    void tooManyExcludeNothing() {
        var exclusions = Exclusions.of(Map.of("culvert.dev/exclude-inbound-ports", "80,".repeat(64) + "81"));
        assertThat(exclusions.openings()).isEmpty();
        assertThat(exclusions.problems())
                .containsExactly("culvert.dev/exclude-inbound-ports has 65 entries and so no effect; at most 64");
    }
}
