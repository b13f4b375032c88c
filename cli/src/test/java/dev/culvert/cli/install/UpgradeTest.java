package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.cli.install.Upgrade.Installed;
import dev.culvert.cli.install.Upgrade.Piece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What `culvert upgrade` does, and what it does not begin.
class UpgradeTest {
    private static Installed at(Piece piece, String version) {
        return new Installed(piece, version);
    }

    private static List<Installed> all(String istiod, String cni, String ztunnel) {
        return List.of(at(Piece.ZTUNNEL, ztunnel), at(Piece.CNI, cni), at(Piece.ISTIOD, istiod));
    }

    record Row(String name, List<Installed> installed, Set<Piece> chosen, String target, List<String> steps) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Row> plans() {
        return Stream.of(
                new Row(
                        "all, the controller first and the node proxies last",
                        all("1.2.0", "1.2.0", "1.2.0"),
                        Set.of(),
                        "1.3.0",
                        List.of("istiod 1.2.0 → 1.3.0", "cni 1.2.0 → 1.3.0", "ztunnel 1.2.0 → 1.3.0")),
                new Row(
                        "the node proxies first, since that is asked for",
                        all("1.2.0", "1.2.0", "1.2.0"),
                        Set.of(Piece.ZTUNNEL),
                        "1.3.0",
                        List.of("ztunnel 1.2.0 → 1.3.0")),
                new Row(
                        "the rest of an upgrade that stopped",
                        all("1.3.0", "1.2.9", "1.2.0"),
                        Set.of(),
                        "1.3.0",
                        List.of(
                                "istiod stays at 1.3.0, with its values now",
                                "cni 1.2.9 → 1.3.0",
                                "ztunnel 1.2.0 → 1.3.0")),
                new Row(
                        "one minor version back",
                        all("1.3.0", "1.3.0", "1.3.0"),
                        Set.of(Piece.CNI, Piece.ISTIOD),
                        "1.2.4",
                        List.of("istiod 1.3.0 → 1.2.4", "cni 1.3.0 → 1.2.4")),
                new Row(
                        "versions that are not released",
                        List.of(at(Piece.ISTIOD, "0.1.0-SNAPSHOT")),
                        Set.of(),
                        "0.2.0-rc.1",
                        List.of("istiod 0.1.0-SNAPSHOT → 0.2.0-rc.1")));
    }

    @ParameterizedTest
    @MethodSource("plans")
    void onePartAfterTheOther(Row row) throws Exception {
        var plan = Upgrade.plan(row.installed, row.chosen, row.target);
        assertThat(plan.steps()).extracting(Object::toString).isEqualTo(row.steps);
    }

    @ParameterizedTest
    @CsvSource({
        "1.1.0, 1.3.0, 1.3.0, 1.2",
        "1.5.0, 1.3.0, 1.3.0, 1.4",
        "1.9.0, 2.0.0, 2.0.0, the last version before 2.0",
        "2.0.0, 1.9.0, 1.9.0, the last version before 2.0",
        "'', 1.3.0, 1.3.0, is none",
        "latest, 1.3.0, 1.3.0, is none",
        "99999999.1, 1.3.0, 1.3.0, is none",
        "1.3.0, 1.3.0, latest, is none",
    })
    void aJumpOfMoreThanOneMinorVersionIsNotBegun(String ztunnel, String others, String target, String says) {
        for (var chosen : List.of(Set.<Piece>of(), Set.of(Piece.ISTIOD))) {
            assertThatThrownBy(() -> Upgrade.plan(all(others, others, ztunnel), chosen, target))
                    .as("also where that part is left as it is")
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(says);
        }
    }

    @Test
    void whatIsNotThereIsNotUpgraded() {
        var only = List.of(at(Piece.ISTIOD, "1.2.0"));
        assertThatThrownBy(() -> Upgrade.plan(only, Set.of(Piece.ISTIOD, Piece.CNI), "1.3.0"))
                .hasMessageContaining("cni is not installed");
        assertThatThrownBy(() -> Upgrade.plan(List.of(), Set.of(), "1.3.0"))
                .hasMessageContaining("no part of the mesh is installed");
    }

    @Test
    void whatComesAfterAStepIsNamed() throws Exception {
        var plan = Upgrade.plan(all("1.2.0", "1.2.0", "1.2.0"), Set.of(), "1.3.0");
        assertThat(plan.steps().stream().map(plan::after)).containsExactly("cni and ztunnel", "ztunnel", "");
    }

    @Test
    void valuesOfTheInstallationStayUnlessOthersAreGiven(@TempDir Path directory) throws Exception {
        var old = Files.writeString(directory.resolve("old.yaml"), "ztunnel: {logLevel: debug}");
        var next = Files.writeString(directory.resolve("next.yaml"), "ztunnel: {logFormat: json}");
        var kept = KeptValues.of(List.of(old), Map.of("global.tag", "v1", "istiod.replicas", "2"));

        var more = kept.with(KeptValues.of(List.of(), Map.of("global.tag", "v2")));
        assertThat(more.files()).containsExactly("ztunnel: {logLevel: debug}");
        assertThat(more.sets()).isEqualTo(Map.of("global.tag", "v2", "istiod.replicas", "2"));
        var objects = more.render("culvert", "istio-system").toString();
        assertThat(objects).contains("culvert/ztunnel:v2").contains("name=RUST_LOG, value=debug");

        var other = kept.with(KeptValues.of(List.of(next), Map.of()));
        assertThat(other.files()).containsExactly("ztunnel: {logFormat: json}");
        assertThat(kept.with(KeptValues.NONE)).isEqualTo(kept);
    }

    @Test
    void theWaypointsThatAControllerReplacesAreThoseThatAskIt() throws Exception {
        var objects = KeptValues.of(List.of(), Map.of("global.tag", "v3")).render("culvert", "istio-system");
        var controller = objects.stream()
                .filter(object -> "Deployment".equals(object.get("kind")))
                .findFirst()
                .orElseThrow();
        assertThat(Images.of(controller)).isEqualTo("culvert/istiod-lite:v3");
        assertThat(Images.ofWaypoints(controller)).isEqualTo("culvert/waypoint:v3");
        var proxy = objects.stream()
                .filter(object -> Documents.name(object).equals("ztunnel") && "DaemonSet".equals(object.get("kind")))
                .findFirst()
                .orElseThrow();
        assertThat(Images.asks(proxy, "istiod")).isTrue();
        assertThat(Images.asks(proxy, "istiod-blue")).isFalse();
    }
}
