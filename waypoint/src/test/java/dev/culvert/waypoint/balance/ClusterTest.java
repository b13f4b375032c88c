package dev.culvert.waypoint.balance;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.TextFormat;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.TrafficPolicy;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Locality;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.Service;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which endpoint is chosen, who is taken out, and how much there may be at once.
class ClusterTest {
    private static final String HOST = "berth.quay.svc.cluster.local";

    private final Cluster cluster = new Cluster();

    private static ClusterSpec spec(String traffic) throws Exception {
        return ClusterSpec.of(Backend.newBuilder()
                .setNamespace("quay")
                .setHostname(HOST)
                .setPort(80)
                .setTraffic(TextFormat.parse(traffic, TrafficPolicy.class))
                .build());
    }

    /// @param places `region/zone/subzone` of each endpoint
    private static MeshSnapshot mesh(String... places) {
        var changes = new ArrayList<Change>();
        changes.add(AddressReader.read(Address.newBuilder()
                .setService(Service.newBuilder()
                        .setName("berth")
                        .setNamespace("quay")
                        .setHostname(HOST)
                        .addPorts(Port.newBuilder().setServicePort(80).setTargetPort(8080)))
                .build()));
        for (var i = 0; i < places.length; i++) {
            changes.add(workload("e" + i, i + 1, places[i]));
        }
        return MeshSnapshot.EMPTY.with(changes);
    }

    private static Change workload(String uid, int address, String place) {
        var parts = (place + "//").split("/", -1);
        return AddressReader.read(Address.newBuilder()
                .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                        .setUid(uid)
                        .setName(uid)
                        .setNamespace("quay")
                        .addAddresses(ByteString.copyFrom(new byte[] {10, 0, 0, (byte) address}))
                        .setLocality(Locality.newBuilder()
                                .setRegion(parts[0])
                                .setZone(parts[1])
                                .setSubzone(parts[2]))
                        .putServices(
                                "quay/" + HOST,
                                PortList.newBuilder()
                                        .addPorts(Port.newBuilder()
                                                .setServicePort(80)
                                                .setTargetPort(8080))
                                        .build()))
                .build());
    }

    private static Workload at(String place) {
        return workload("self", 99, place) instanceof Change.PutWorkload(var known) ? known : fail();
    }

    private static Workload fail() {
        throw new AssertionError("not a workload");
    }

    private Optional<String> choose(MeshSnapshot mesh, ClusterSpec spec, @Nullable Workload self, @Nullable Long hash) {
        return cluster.choose(mesh, spec, self, hash, Set.of())
                .map(one -> one.host().uid());
    }

    private Map<String, Integer> counts(MeshSnapshot mesh, ClusterSpec spec, @Nullable Workload self, int times) {
        var counts = new TreeMap<String, Integer>();
        for (var i = 0; i < times; i++) {
            choose(mesh, spec, self, null).ifPresent(uid -> counts.merge(uid, 1, Integer::sum));
        }
        return counts;
    }

    @Test
    void roundRobinTakesTurns() throws Exception {
        assertThat(counts(mesh("", "", ""), spec("load_balancer {kind: ROUND_ROBIN}"), null, 300))
                .isEqualTo(Map.of("e0", 100, "e1", 100, "e2", 100));
    }

    @ParameterizedTest
    @ValueSource(strings = {"RANDOM", "LEAST_REQUEST"})
    void othersGetAboutTheSame(String kind) throws Exception {
        assertThat(counts(mesh("", "", ""), spec("load_balancer {kind: " + kind + "}"), null, 3000)
                        .values())
                .allMatch(count -> count > 800 && count < 1200);
    }

    @Test
    void oneThatIsBusyGetsFewer() throws Exception {
        var mesh = mesh("", "", "");
        var spec = spec("");
        var busy =
                cluster.choose(mesh, spec, null, null, Set.of()).orElseThrow().host();
        cluster.begin(busy);
        assertThat(counts(mesh, spec, null, 300)).doesNotContainKey(busy.uid());
        cluster.abandon(busy);
        assertThat(counts(mesh, spec, null, 300)).containsKey(busy.uid());
    }

    @Test
    void aTryGoesToOneThatWasNotTried() throws Exception {
        var mesh = mesh("", "", "");
        for (var i = 0; i < 50; i++) {
            assertThat(cluster.choose(mesh, spec(""), null, null, Set.of("e0", "e2"))
                            .orElseThrow()
                            .host()
                            .uid())
                    .isEqualTo("e1");
        }
        assertThat(cluster.choose(mesh, spec(""), null, null, Set.of("e0", "e1", "e2")))
                .isPresent();
    }

    // ---- hashes ----

    @ParameterizedTest
    @ValueSource(strings = {"RING_HASH", "MAGLEV"})
    void aKeyStaysWhereItIsAndFewMoveWhenOneComes(String kind) throws Exception {
        var spec = spec("load_balancer {kind: " + kind + " hash {header: 'x'}}");
        var four = mesh("", "", "", "");
        var before = new ArrayList<String>();
        for (var i = 0; i < 2000; i++) {
            before.add(choose(four, spec, null, HashedRequest.hash("key" + i)).orElseThrow());
        }
        assertThat(before).contains("e0", "e1", "e2", "e3");
        var five = mesh("", "", "", "", "");
        var moved = 0;
        for (var i = 0; i < 2000; i++) {
            var now = choose(five, spec, null, HashedRequest.hash("key" + i)).orElseThrow();
            moved += now.equals(before.get(i)) ? 0 : 1;
        }
        assertThat(moved).isBetween(200, 700);
    }

    /// Values of the xxHash reference implementation.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {"`` | ef46db3751d8e999", "a | d24ec4f1a98c6e5b", "abc | 44bc2cf5ad770999"})
    void xxHashIsXxHash(String text, String hex) {
        assertThat(XxHash.of(text)).isEqualTo(Long.parseUnsignedLong(hex, 16));
    }

    // ---- places ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "near_first: true | e0",
                "near_first: true failover {from: 'north' to: 'south'} | e0",
                "failover_labels: 'topology.kubernetes.io/region' failover_labels: 'topology.kubernetes.io/zone' | e0",
                "failover_labels: 'topology.kubernetes.io/zone=b' | e1",
            })
    void nearOnesComeFirst(String locality, String only) throws Exception {
        var mesh = mesh("north/a/1", "north/b/1", "south/a/1", "west/a/1");
        var spec = spec("load_balancer {locality {" + locality + "}}");
        assertThat(counts(mesh, spec, at("north/a/1"), 50).keySet()).containsExactly(only);
    }

    @Test
    void whenTheNearOnesAreGoneTheNamedRegionIsNext() throws Exception {
        var spec = spec("load_balancer {locality {near_first: true failover {from: 'north' to: 'south'}}}");
        assertThat(counts(mesh("west/a", "south/a", "west/b"), spec, at("north/a"), 50)
                        .keySet())
                .containsExactly("e1");
    }

    @Test
    void aLevelSpillsOverWhenTooFewOfItAreHealthy() throws Exception {
        var spec = spec(
                "load_balancer {kind: RANDOM locality {near_first: true}}"
                        + " outlier {consecutive_5xx: 1 base_ejection {seconds: 60} interval {seconds: 1} max_ejection_percent: 100}");
        var mesh = mesh("north", "north", "south", "south");
        assertThat(counts(mesh, spec, at("north"), 100).keySet()).containsExactly("e0", "e1");
        fail(mesh, spec, "e0");
        // One of two is healthy: 70 percent stay.
        assertThat(counts(mesh, spec, at("north"), 2000).get("e1")).isBetween(1300, 1500);
        fail(mesh, spec, "e1");
        assertThat(counts(mesh, spec, at("north"), 100).keySet()).containsExactly("e2", "e3");
    }

    @Test
    void sharesAreGivenToPlaces() throws Exception {
        var spec = spec("load_balancer {kind: RANDOM locality {distribute {from: 'north/*'"
                + " to {key: 'north' value: 80} to {key: 'south/a' value: 20}}}}");
        var counts = counts(mesh("north/a", "south/a", "south/b"), spec, at("north/x"), 2000);
        assertThat(counts.get("e0")).isBetween(1500, 1700);
        assertThat(counts).doesNotContainKey("e2");
    }

    // ---- who has failed ----

    private void fail(MeshSnapshot mesh, ClusterSpec spec, String uid) {
        assertThat(choose(mesh, spec, null, null)).isPresent();
        cluster.end(host(mesh, spec, uid), spec.traffic(), Cluster.Outcome.ANSWERED, 500);
    }

    private Host host(MeshSnapshot mesh, ClusterSpec spec, String uid) {
        for (var i = 0; i < 10_000; i++) {
            var chosen = cluster.choose(mesh, spec, null, null, Set.of()).orElseThrow();
            if (chosen.host().uid().equals(uid)) {
                cluster.begin(chosen.host());
                return chosen.host();
            }
        }
        throw new AssertionError("never chosen: " + uid);
    }

    private static final String OUTLIER = "consecutive_5xx: 3 base_ejection {seconds: 60} interval {seconds: 1} ";

    @Test
    void threeFailuresInARowEjectAndASuccessBetweenDoesNot() throws Exception {
        var mesh = mesh("", "", "");
        var spec = spec("outlier {" + OUTLIER + "max_ejection_percent: 100}");
        for (var status : List.of(500, 503, 200, 500, 502)) {
            cluster.end(host(mesh, spec, "e1"), spec.traffic(), Cluster.Outcome.ANSWERED, status);
        }
        assertThat(counts(mesh, spec, null, 100)).containsKey("e1");
        cluster.end(host(mesh, spec, "e1"), spec.traffic(), Cluster.Outcome.FAILED, 503);
        assertThat(counts(mesh, spec, null, 100)).doesNotContainKey("e1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "consecutive_5xx: 0 consecutive_gateway_errors: 2 | 500 | false",
                "consecutive_5xx: 0 consecutive_gateway_errors: 2 | 503 | true",
                "consecutive_5xx: 2 | 500 | true",
                "consecutive_5xx: 2 | 404 | false",
                "consecutive_5xx: 0 | 500 | false",
            })
    void whatCountsAsAFailure(String counters, int status, boolean ejects) throws Exception {
        var mesh = mesh("", "");
        var spec = spec("outlier {base_ejection {seconds: 60} max_ejection_percent: 100 " + counters + "}");
        cluster.end(host(mesh, spec, "e0"), spec.traffic(), Cluster.Outcome.ANSWERED, status);
        var second = cluster.end(host(mesh, spec, "e0"), spec.traffic(), Cluster.Outcome.ANSWERED, status);
        assertThat(second).isEqualTo(ejects);
    }

    @ParameterizedTest
    @CsvSource({"10, 3, 1", "60, 3, 1", "80, 3, 2", "100, 3, 3", "0, 3, 0", "10, 20, 2"})
    void notMoreThanTheShareIsEjectedButOneAlwaysMayBe(int percent, int endpoints, int most) throws Exception {
        var places = new String[endpoints];
        Arrays.fill(places, "");
        var mesh = mesh(places);
        var spec =
                spec("outlier {consecutive_5xx: 1 base_ejection {seconds: 60} max_ejection_percent: " + percent + "}");
        var ejected = 0;
        for (var i = 0; i < endpoints; i++) {
            var chosen = cluster.choose(mesh, spec, null, null, Set.of());
            if (chosen.isPresent()) {
                cluster.begin(chosen.get().host());
                ejected += cluster.end(chosen.get().host(), spec.traffic(), Cluster.Outcome.ANSWERED, 500) ? 1 : 0;
            }
        }
        assertThat(ejected).isEqualTo(most);
    }

    @Test
    void allEjectedIsNobodyAndBelowTheHealthyShareIsEverybody() throws Exception {
        var mesh = mesh("", "", "");
        var all = spec("outlier {consecutive_5xx: 1 base_ejection {seconds: 60} max_ejection_percent: 100}");
        for (var uid : List.of("e0", "e1", "e2")) {
            fail(mesh, all, uid);
        }
        assertThat(choose(mesh, all, null, null)).isEmpty();
        assertThat(choose(mesh, spec(""), null, null)).as("without the rule").isPresent();
        var floor = spec("load_balancer {kind: ROUND_ROBIN} outlier {consecutive_5xx: 1 base_ejection {seconds: 60}"
                + " max_ejection_percent: 100 min_health_percent: 40}");
        for (var uid : List.of("e0", "e1")) {
            fail(mesh, floor, uid);
        }
        assertThat(counts(mesh, floor, null, 30).keySet()).containsExactly("e0", "e1", "e2");
    }

    @Test
    void anEjectionEnds() throws Exception {
        var mesh = mesh("", "");
        var spec = spec("outlier {consecutive_5xx: 1 base_ejection {nanos: 50000000} max_ejection_percent: 50}");
        fail(mesh, spec, "e0");
        assertThat(counts(mesh, spec, null, 50)).doesNotContainKey("e0");
        var deadline = System.nanoTime() + 5_000_000_000L;
        while (!counts(mesh, spec, null, 50).containsKey("e0")) {
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
    }

    // ---- limits ----

    @Test
    void limitsAreExactAndRetriesKeepToTheirBudget() throws Exception {
        assertThat(cluster.openConnection(2)).isTrue();
        assertThat(cluster.openConnection(2)).isTrue();
        assertThat(cluster.openConnection(2)).isFalse();
        cluster.closedConnection();
        assertThat(cluster.openConnection(2)).isTrue();
        var budget = spec("retry_budget {percent: 50 min_concurrency: 1}").traffic();
        assertThat(cluster.startRetry(budget)).isTrue();
        assertThat(cluster.startRetry(budget)).isFalse();
        for (var i = 0; i < 4; i++) {
            assertThat(cluster.startRequest(100)).isTrue();
        }
        assertThat(cluster.startRetry(budget)).as("half of four").isTrue();
        assertThat(cluster.startRetry(budget)).isFalse();
        assertThat(cluster.startRetry(spec("pool {max_retries: 0}").traffic())).isFalse();
    }

    @Test
    void oneThatIsNewBeginsWithLess() throws Exception {
        var spec = spec("load_balancer {kind: ROUND_ROBIN warmup {seconds: 600} warmup_minimum: 10}");
        assertThat(counts(mesh(""), spec, null, 1)).containsKey("e0");
        var counts = counts(mesh("", ""), spec, null, 1100);
        assertThat(counts.get("e1")).isBetween(80, 120);
    }
}
