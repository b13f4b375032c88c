package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.workload.Workload;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlaintextRulesTest {
    private static final String POD = """
            apiVersion: v1
            kind: Pod
            metadata: {name: berth-0, namespace: quay, labels: {app: berth}}
            spec: {nodeName: n, containers: [{name: a}]}
            status: {podIPs: [{ip: 198.18.65.3}]}
            """;

    private static Translation translate(String spec) {
        var read = YamlReader.read(Path.of("quay.yaml"), POD + """
                ---
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: p, namespace: quay}
                spec: {%s}
                """.formatted(spec));
        return Translator.translate(ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    private static Workload berth(Translation translation) {
        return Objects.requireNonNull(translation.addresses().get("Kubernetes//Pod/quay/berth-0"))
                .getWorkload();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mtls: {mode: STRICT}                                                                          | true  | true",
                "mtls: {mode: PERMISSIVE}                                                                      | false | false",
                "mtls: {mode: DISABLE}                                                                         | false | false",
                "selector: {matchLabels: {app: berth}}, mtls: {mode: STRICT}                                   | true  | true",
                "selector: {matchLabels: {app: other}}, mtls: {mode: STRICT}                                   | false | false",
                "selector: {matchLabels: {app: berth}}, mtls: {mode: STRICT}, portLevelMtls: {80: {mode: PERMISSIVE}} | false | true",
                "selector: {matchLabels: {app: berth}}, portLevelMtls: {80: {mode: STRICT}}                    | true  | false",
            })
    void plaintextIsRefusedWhereItMustBe(String spec, boolean on80, boolean on81) {
        var translation = translate(spec);
        var berth = berth(translation);
        assertThat(PlaintextRules.refuse(berth, 80, translation.policies())).isEqualTo(on80);
        assertThat(PlaintextRules.refuse(berth, 81, translation.policies())).isEqualTo(on81);
    }

    @Test
    void aPolicyThatNobodyHasRefuses() {
        assertThat(PlaintextRules.refuse(berth(translate("mtls: {mode: STRICT}")), 80, Map.of()))
                .isTrue();
    }
}
