package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.pods.PodView.Surroundings;
import dev.culvert.agent.rules.Capture;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SelectionTest {
    private static final String MODE = "istio.io/dataplane-mode";
    private static final Map<String, String> AMBIENT = Map.of(MODE, "ambient");
    private static final Selection SELECTION = new Selection(Set.of("kube-system"), "istio-system", false);

    @SuppressWarnings("ImmutableEnumChecker") // records of immutable values
    enum Row {
        NAMESPACE_LABEL(pod("shop", Map.of(), Map.of(), AMBIENT), Optional.of(Capture.TCP)),
        NO_LABEL(pod("shop", Map.of(), Map.of(), Map.of()), Optional.empty()),
        POD_LABEL(pod("shop", AMBIENT, Map.of(), Map.of()), Optional.of(Capture.TCP)),
        POD_OPTS_OUT(pod("shop", Map.of(MODE, "none"), Map.of(), AMBIENT), Optional.empty()),
        POD_OPTS_IN_AGAIN(pod("shop", AMBIENT, Map.of(), Map.of(MODE, "none")), Optional.of(Capture.TCP)),
        EXCLUDED_NAMESPACE(pod("kube-system", AMBIENT, Map.of(), Map.of()), Optional.empty()),
        SIDECAR(pod("shop", Map.of(), Map.of("sidecar.istio.io/status", "{}"), AMBIENT), Optional.empty()),
        SIDECAR_ASKED(pod("shop", Map.of("sidecar.istio.io/inject", "true"), Map.of(), AMBIENT), Optional.empty()),
        ZTUNNEL(pod("istio-system", Map.of("app", "ztunnel"), Map.of(), AMBIENT), Optional.empty()),
        ZTUNNEL_ELSEWHERE(pod("shop", Map.of("app", "ztunnel"), Map.of(), AMBIENT), Optional.of(Capture.TCP)),
        INGRESS(
                pod("shop", Map.of(), Map.of("ambient.istio.io/bypass-inbound-capture", "T"), AMBIENT),
                Optional.of(new Capture(false, false))),
        DNS(
                pod("shop", Map.of(), Map.of("ambient.istio.io/dns-capture", "1"), AMBIENT),
                Optional.of(new Capture(true, true))),
        DNS_UNPARSABLE(
                pod("shop", Map.of(), Map.of("ambient.istio.io/dns-capture", "yes"), AMBIENT),
                Optional.of(Capture.TCP));

        private final PodView pod;
        private final Optional<Capture> wanted;

        Row(PodView pod, Optional<Capture> wanted) {
            this.pod = pod;
            this.wanted = wanted;
        }
    }

    private static PodView pod(
            String namespace, Map<String, String> labels, Map<String, String> annotations, Map<String, String> outer) {
        var name = new PodView.Name("uid", namespace, "pod");
        var surroundings = new Surroundings(Optional.of(outer), List.of());
        return new PodView(
                name,
                "default",
                labels,
                annotations,
                surroundings,
                PodView.Declared.NOTHING,
                List.of(),
                false,
                false,
                Optional.empty());
    }

    @ParameterizedTest
    @EnumSource
    void labelsDecide(Row row) {
        assertThat(SELECTION.wish(row.pod))
                .isEqualTo(row.wanted.isPresent() ? new Wish.Captured() : new Wish.Released());
        row.wanted.ifPresent(wanted -> assertThat(SELECTION.capture(row.pod)).isEqualTo(wanted));
    }

    /// Only who could believe to be captured is told why not.
    @Test
    void obstacles() {
        assertThat(SELECTION.obstacle(Row.SIDECAR_ASKED.pod)).get().asString().contains("sidecar.istio.io/inject");
        assertThat(SELECTION.obstacle(Row.SIDECAR.pod)).isPresent();
        assertThat(SELECTION.obstacle(Row.NO_LABEL.pod)).isEmpty();
        assertThat(SELECTION.obstacle(Row.NAMESPACE_LABEL.pod)).isEmpty();
    }

    /// Never for want of information.
    @ParameterizedTest
    @EnumSource
    void nobodyIsReleasedWhileSomethingCannotBeRead(Row row) {
        var doubtful = SELECTION.wish(row.pod.with(new Surroundings(
                row.pod.surroundings().namespaceLabels(), List.of("what is written at namespace.yaml:3"))));
        if (row.wanted.isPresent()) {
            assertThat(doubtful).isEqualTo(new Wish.Captured());
        } else {
            assertThat(doubtful)
                    .isEqualTo(new Wish.Unknown("what is written at namespace.yaml:3 cannot be read; mend it"));
        }
    }

    @Test
    void aPodWhoseNamespaceIsNotThereIsReleasedOnlyByItsOwnLabel() {
        var nowhere = new Surroundings(Optional.empty(), List.of());
        assertThat(SELECTION.wish(Row.NO_LABEL.pod.with(nowhere)))
                .isEqualTo(new Wish.Unknown(
                        "there is no Namespace shop; write one, without the label istio.io/dataplane-mode"));
        assertThat(SELECTION.wish(Row.POD_OPTS_OUT.pod.with(nowhere))).isEqualTo(new Wish.Released());
        assertThat(SELECTION.wish(Row.POD_LABEL.pod.with(nowhere))).isEqualTo(new Wish.Captured());
    }

    @ParameterizedTest
    @EnumSource
    void podsOnTheHostsNetworkNever(Row row) {
        var pod = new PodView(
                row.pod.name(),
                "default",
                row.pod.labels(),
                row.pod.annotations(),
                row.pod.surroundings(),
                PodView.Declared.NOTHING,
                List.of(),
                true,
                false,
                Optional.empty());
        assertThat(SELECTION.wish(pod)).isEqualTo(new Wish.Released());
        assertThat(SELECTION.obstacle(pod).isPresent())
                .isEqualTo(row.wanted.isPresent()
                        || row == Row.EXCLUDED_NAMESPACE
                        || row == Row.SIDECAR
                        || row == Row.SIDECAR_ASKED
                        || row == Row.ZTUNNEL);
    }
}
