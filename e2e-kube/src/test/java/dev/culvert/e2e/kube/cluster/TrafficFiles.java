package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/// The files of the corpus on traffic that a waypoint enforces. Each test names its files.
abstract class TrafficFiles extends HarbourFiles {
    private static final String SWELL = "200 berth-swell";
    private static final String CALM = "200 berth-calm";

    TrafficFiles(InstalledMesh mesh, Harbour harbour) {
        super(mesh, harbour);
    }

    /// By turns among three, as many calls in a row never reach the same subset by chance.
    private void awaitOnly(String url, String answer, String... headers) throws Exception {
        Await.until(
                "the rule of " + url + " holds",
                () -> harbour.call("portal", 12, "GET", url + "/", headers).isOnly(answer));
    }

    private Harbour.Seen berth(int count, String... headers) throws Exception {
        return harbour.call("portal", count, "GET", BERTH + "/", headers);
    }

    /// `000-02` without HTTP/2.
    private static String subsets() throws Exception {
        return Harbour.file("000-02").replace("UPGRADE", "DO_NOT_UPGRADE");
    }

    /// `000-01` with the subsets of `000-02`, and a subset that nobody declared
    @Test
    void aHeaderPinsItsCallersToASubset() throws Exception {
        harbour.apply(subsets());
        harbour.apply(Harbour.file("000-01"));
        awaitOnly(BERTH, SWELL, "pilot-name: marlow");
        assertThat(berth(100, "pilot-name: marlow").of(SWELL)).isEqualTo(100);
        assertThat(berth(100, "pilot-name: kurtz").of(CALM)).isEqualTo(100);
        assertThat(berth(100).of(CALM)).isEqualTo(100);

        try (var running = Executors.newSingleThreadExecutor()) {
            var all = running.submit(() ->
                    harbour.call(harbour.pods("customs").getFirst(), 600, 2, "GET", BERTH + "/", "pilot-name: kurtz"));
            harbour.remove(Harbour.file("000-01"));
            Await.until("balancing is plain again", () -> berth(9).pods() == 3);
            assertThat(all.get().of("200 ")).isEqualTo(600);
        }
        harbour.apply(Harbour.file("000-01").replace("subset: swell", "subset: gale"));
        Await.until("it answers 503", () -> berth(6, "pilot-name: marlow").isOnly("503"));
        Await.until(
                "its author is told",
                () -> cluster.told("VirtualService", Harbour.QUAY, "berth-pilot", "WaypointAccepted")
                        .contains("gale"));
    }

    /// `000-02`
    @Test
    void aPoolOfConnectionsAndWhoIsBusyGetsLess() throws Exception {
        harbour.apply(Harbour.file("000-02"));
        Await.until("HTTP/2 is spoken to a port of HTTP/1.1", () -> berth(6).isOnly("200 h2/berth"));

        harbour.apply(subsets());
        awaitOnly(BERTH, "200 berth");
        var slow = harbour.pods("berth").getFirst().getMetadata().getName();
        var seen = harbour.call(harbour.pods("portal").getFirst(), 300, 30, "GET", BERTH + "/?slow=" + slow);
        assertThat(seen.of("200 ")).isEqualTo(300);
        assertThat(seen.of("200 " + slow)).as(slow + " of 300").isLessThan(300 / 5);
    }

    /// What a server of berth was asked since the last time.
    record Counts(int connections, int requests, int shadows) {}

    private List<Counts> counts() throws Exception {
        var all = new ArrayList<Counts>();
        for (var pod : harbour.pods("berth")) {
            var text = harbour.get("berth", harbour.url(pod, 8080) + "?counts");
            all.add(new Counts(
                    number(text, "most connections "), number(text, "most requests "), number(text, "shadows ")));
        }
        return all;
    }

    private static int number(String text, String name) {
        return text.lines()
                .filter(line -> line.startsWith(name))
                .mapToInt(line -> Integer.parseInt(line.substring(name.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + "in " + text));
    }

    /// `002-03` with the subsets of `002-04`, and `004-04` with those of `004-06`
    @Test
    void weightsAreShares() throws Exception {
        for (var file : List.of("002-04", "002-03", "004-06", "004-04")) {
            harbour.apply(Harbour.file(file));
        }
        awaitOnly(BERTH, SWELL, "x-early: yes");
        awaitOnly(CUSTOMS, "200 customs-swell", "probe: on");
        var portal = harbour.pods("portal").getFirst();
        // Four standard deviations of 1000 draws are 45 and 51.
        assertThat(harbour.call(portal, 1000, 8, "GET", BERTH + "/").of(SWELL)).isBetween(150 - 45, 150 + 45);
        assertThat(harbour.call(portal, 1000, 8, "GET", CUSTOMS + "/").of("200 customs-swell"))
                .isBetween(200 - 51, 200 + 51);
        assertThat(berth(100, "x-early: yes").of(SWELL)).isEqualTo(100);
        assertThat(harbour.call("portal", 100, "GET", CUSTOMS + "/", "probe: on")
                        .of("200 customs-swell"))
                .isEqualTo(100);
        harbour.apply(Harbour.file("002-03").replace("weight: 85", "weight: 0").replace("weight: 15", "weight: 100"));
        awaitOnly(BERTH, SWELL);
    }

    /// `002-04`
    @Test
    void allThatFailLeaveAndTheAnswerComesAtOnce() throws Exception {
        harbour.apply(Harbour.file("002-04"));
        awaitCondition("DestinationRule", "berth-eject", "WaypointAccepted", "True");
        Await.until(
                "all have left the pool",
                () -> harbour.call("portal", 12, "GET", BERTH + "/?fail=berth").isOnly("503")
                        && berth(3).isOnly("503"));
        Await.until(
                "the log says so",
                () -> cluster.log(harbour.waypoint("quay-waypoint")).contains("UH"));
    }

    /// `001-01`
    @Test
    void whoFailsSixTimesInARowIsLeftAloneAndMaintenanceIsAnsweredByTheWaypoint() throws Exception {
        harbour.apply(Harbour.file("001-01"));
        var maintenance = "x-maintenance: on";
        Await.until(
                "maintenance is answered",
                () -> harbour.call("portal", 3, "GET", CUSTOMS + "/", maintenance)
                        .isOnly("503"));
        var seen = harbour.call("portal", 200, "GET", CUSTOMS + "/?fail=customs-swell");
        assertThat(seen.of("503")).as("of the one that fails").isEqualTo(6);
        assertThat(seen.of("200 customs-calm")).isEqualTo(194);
    }

    /// `001-02`
    @Test
    void aTightPoolRefusesWhatWaitsAndAConnectionEndsAfterThreeRequests() throws Exception {
        harbour.apply(Harbour.file("001-02"));
        awaitCondition("DestinationRule", "berth-tight", "WaypointAccepted", "True");
        counts();
        var portal = harbour.pods("portal").getFirst();
        Await.until(
                "a burst overflows",
                () -> harbour.call(portal, 200, 100, "GET", BERTH + "/?slow=berth")
                                .of("503")
                        > 0);
        Await.until(
                "the log says so",
                () -> cluster.log(harbour.waypoint("quay-waypoint")).contains("UO"));
        counts();
        assertThat(berth(60).of("200 ")).isEqualTo(60);
        assertThat(counts()).allMatch(counts -> counts.requests() <= 3);
        assertThat(counts()).allMatch(counts -> counts.connections() <= 60);
    }

    /// `001-09` with the servers of `001-08`
    @Test
    void metadataChoosesTheReleaseOfAGrpcServer() throws Exception {
        var target = "signals.quay.svc.cluster.local:50061";
        harbour.apply(Harbour.file("001-08"));
        harbour.apply(Harbour.file("001-08")
                .replaceFirst("(?s).*?---\n", "")
                .replace("name: signals\n", "name: signals-next\n")
                .replace("app: signals,", "app: signals-next,")
                .replace("matchLabels: {app: signals}", "matchLabels: {app: signals, rel: r8}")
                .replace("        app: signals\n", "        app: signals\n        rel: r8\n")
                .replace("revision: r7", "revision: r8"));
        harbour.apply(Harbour.file("001-09"));
        Await.until(
                "r8 is chosen",
                () -> harbour.grpc("portal", 10, target, "x-release:r8").isOnly("200 signals-next"));
        var others = harbour.grpc("portal", 50, target);
        assertThat(others.of("200 signals-")).isEqualTo(50);
        assertThat(others.of("200 signals-next")).isZero();
        assertThat(harbour.grpc("portal", 50, target, "x-release:r8").of("200 signals-next"))
                .isEqualTo(50);
    }

    /// `001-06` and `001-07`
    @Test
    void aServiceHasAWaypointOfItsOwnOrNone() throws Exception {
        harbour.apply(Harbour.file("001-07").replace("customs-waypoint", "nobody"));
        awaitCondition("Service", "customs", "istio.io/WaypointBound", "False");
        awaitOnly(CUSTOMS, "200 customs");
        harbour.apply(Harbour.file("001-06"));
        awaitCondition("Gateway", "customs-waypoint", "Programmed", "True");
        harbour.apply(Harbour.file("001-07"));
        awaitCondition("Service", "customs", "istio.io/WaypointBound", "True");
        Await.until(
                "its own waypoint is asked",
                () -> harbour.call("portal", 3, "GET", CUSTOMS + "/warm").isOnly("200 ")
                        && requests("customs-waypoint", "/warm") > 0);
        harbour.call("portal", 20, "GET", CUSTOMS + "/own");
        harbour.call("portal", 20, "GET", BERTH + "/other");
        Await.until("those calls are logged", () -> requests("customs-waypoint", "/own") == 20);
        Await.until("another Service has the shared one", () -> requests("quay-waypoint", "/other") == 20);
        assertThat(requests("quay-waypoint", "/own")).isZero();
        assertThat(requests("customs-waypoint", "/other")).isZero();

        try (var running = Executors.newSingleThreadExecutor()) {
            var all =
                    running.submit(() -> harbour.call(harbour.pods("portal").getFirst(), 600, 2, "GET", CUSTOMS + "/"));
            harbour.remove(Harbour.file("001-06"));
            assertThat(all.get().of("200 ")).isEqualTo(600);
        }
        awaitCondition("Service", "customs", "istio.io/WaypointBound", "False");
    }

    private long requests(String gateway, String path) {
        return cluster.log(harbour.waypoint(gateway))
                .lines()
                .filter(line -> line.contains("request complete") && line.contains("path=\"" + path + "\""))
                .count();
    }

    /// `003-02`, for calls within the mesh; its subsets are those of `000-02`
    @Test
    void lanesAndCopies() throws Exception {
        harbour.apply(subsets());
        harbour.apply(Harbour.file("003-02"));
        awaitOnly(BERTH, SWELL, "lane: trial");
        assertThat(berth(100, "x-berth-class: gold").of(CALM)).isEqualTo(100);
        counts();
        var seen = harbour.call(harbour.pods("portal").getFirst(), 1000, 8, "GET", BERTH + "/");
        assertThat(seen.of("200 ")).isEqualTo(1000);
        assertThat(seen.of(SWELL)).as("of 1000, 12 %").isBetween(120 - 41, 120 + 41);
        assertThat(counts().stream().mapToInt(counts -> counts.shadows()).sum())
                .as("copies of 1000, 20 %")
                .isBetween(200 - 51, 200 + 51);
    }

    /// `003-02b`, `004-04b`, `003-03b`, `004-06b`, with the subsets of `000-02` and `004-06`
    @Test
    void whatDoesLessThanItSeemsToIsTakenWithAWarning() throws Exception {
        harbour.apply(subsets());
        harbour.apply(Harbour.file("004-06"));
        assertWarned("003-02b", "never-reached", "takes-all");
        assertWarned("004-04b", "weight");
        assertWarned("003-03b", "LEAST_REQUEST");
        assertWarned("004-06b", "consecutive5xxErrors");
        harbour.apply(Harbour.file("003-02b"));
        harbour.apply(Harbour.file("004-04b"));
        awaitOnly(CUSTOMS, "200 customs-swell", "probe: on");
        awaitOnly(CUSTOMS, "200 customs-calm");
        Await.until(
                "a condition names the hidden rule",
                () -> cluster.told("VirtualService", Harbour.QUAY, "berth-hidden-mirror", "WaypointAccepted")
                        .contains("never-reached"));
        counts();
        assertThat(berth(100).of("200 ")).isEqualTo(100);
        assertThat(counts()).allMatch(counts -> counts.shadows() == 0);
    }
}
