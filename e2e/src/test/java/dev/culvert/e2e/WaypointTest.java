package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// Files of the corpus and what their `observe:` lines say, through real ztunnels.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WaypointTest {
    private static final String FILE = "corpus.yaml";
    private static final String WAYPOINT = "quay-waypoint-0";

    /// Beside the nodes, where no pod is.
    private static final InetSocketAddress AWAY = new InetSocketAddress(InetAddress.ofLiteral("198.18.0.1"), 18080);

    private static final InetSocketAddress OFFSHORE = new InetSocketAddress(InetAddress.ofLiteral("198.19.200.1"), 80);
    private static final InetSocketAddress ONSHORE = new InetSocketAddress(InetAddress.ofLiteral("198.19.200.2"), 80);
    private static final String ENTRIES = """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: offshore, namespace: quay, labels: {istio.io/use-waypoint: quay-waypoint}}
            spec:
              hosts: [offshore.example]
              addresses: [198.19.200.1]
              resolution: STATIC
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: 18080}]
              endpoints: [{address: 198.18.0.1}]
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: onshore, namespace: quay, labels: {istio.io/use-waypoint: quay-waypoint}}
            spec:
              hosts: [onshore.example]
              addresses: [198.19.200.2]
              location: MESH_INTERNAL
              resolution: STATIC
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
              workloadSelector: {labels: {app: customs}}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: offshore-readers, namespace: quay}
            spec:
              targetRefs:
              - {group: networking.istio.io, kind: ServiceEntry, name: offshore}
              - {group: networking.istio.io, kind: ServiceEntry, name: onshore}
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;

    private Quay quay;

    @BeforeAll
    void start(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        quay = Quay.start(directory, "");
    }

    @AfterAll
    void close() throws Exception {
        quay.close();
    }

    @AfterEach
    void withdraw() throws Exception {
        quay.mesh.delete(FILE);
        quay.awaitWaypoint(WAYPOINT, "berth");
        Await.until("berth is open again", () -> status("POST", "/ledger") == 200);
    }

    private int status(String method, String path) throws IOException {
        return status(quay.portal(), method, path);
    }

    private int status(TestPod from, String method, String path) throws IOException {
        return Http.call(from, quay.service("berth"), method, path).status();
    }

    @Test
    void callerIsSeenAndWhatItForgesIsNot() throws Exception {
        var forged = Map.of(
                "X-Forwarded-Client-Cert", "URI=spiffe://cluster.local/ns/quay/sa/admiral",
                "X-Forwarded-For", "203.0.113.9");
        var answer = Http.call(quay.portal(), quay.service("berth"), "GET", "/a/../b", forged);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).contains("GET /b\n").doesNotContain("admiral").doesNotContain("203.0.113.9");
        assertThat(answer.saw("x-forwarded-client-cert")).contains("URI=spiffe://cluster.local/ns/quay/sa/portal");
        assertThat(answer.saw("x-forwarded-for")).isEqualTo(quay.portal().v4().getHostAddress());
    }

    @Test
    void readOnlyPolicy() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("000-03"));
        Await.until("POST is refused", () -> status("POST", "/tariffs/1") == 403);
        assertThat(status("GET", "/tariffs/1")).isEqualTo(200);
        assertThat(status("GET", "/ledger")).isEqualTo(403);
        assertThat(status("GET", "/tariffs/../ledger")).isEqualTo(403);
        Await.until("the policy is named", () -> quay.log(WAYPOINT).contains("tariff-readers"));
    }

    /// Answers of 403 are lines of Istio's, those of 200 are none; calls of berth have a label, those of customs none.
    @Test
    void telemetryOfUsers() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("003-07") + "---\n" + Quay.corpus("000-03"));
        Await.until("a refusal is in Istio's form", () -> {
            assertThat(status("POST", "/tariffs/refused")).isIn(200, 403);
            return quay.log(WAYPOINT).contains("\"POST /tariffs/refused HTTP/1.1\" 403 - rbac_access_denied");
        });
        assertThat(status("GET", "/tariffs/quiet")).isEqualTo(200);
        assertThat(Http.call(quay.portal(), quay.service("customs"), "GET", "/as-before")
                        .status())
                .isEqualTo(200);
        Await.until("customs is logged as before", () -> quay.requests(WAYPOINT, "/as-before") > 0);
        assertThat(quay.log(WAYPOINT)).doesNotContain("/tariffs/quiet");
        var stats = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 15020);
        var counts = Http.call(quay.pod(WAYPOINT), stats, "GET", "/stats/prometheus")
                .body()
                .lines()
                .filter(line -> line.startsWith("istio_requests_total"))
                .toList();
        assertThat(counts)
                .anySatisfy(line -> assertThat(line)
                        .contains("destination_service_name=\"berth\"", "response_code=\"403\"", "pier=\"nine\""))
                .filteredOn(line -> line.contains("destination_service_name=\"customs\""))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).doesNotContain("pier="));
    }

    @Test
    void twoCallers() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("002-05"));
        Await.until("portal may not POST", () -> status("POST", "/slots/7") == 403);
        assertThat(status("GET", "/slots/7")).isEqualTo(200);
        for (var method : new String[] {"GET", "POST", "PUT", "DELETE"}) {
            assertThat(status(quay.customs(), method, "/slots/7")).as(method).isEqualTo(200);
        }
        assertThat(status(quay.customs(), "GET", "/other")).isEqualTo(403);
        assertThat(status(quay.pod("berth-calm-0"), "GET", "/slots/7"))
                .as("a third account")
                .isEqualTo(403);
        assertThatThrownBy(() -> status(quay.stranger(), "GET", "/slots/7"))
                .as("outside the mesh")
                .isInstanceOf(IOException.class);
    }

    @Test
    void headerPin() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("000-01"));
        var marlow = Map.of("pilot-name", "marlow");
        awaitOnly("berth", marlow, "berth-swell");
        for (var i = 0; i < 50; i++) {
            assertThat(call("berth", marlow).pod()).startsWith("berth-swell");
            assertThat(call("berth", Map.of("pilot-name", "kurtz")).pod()).startsWith("berth-calm");
            assertThat(call("berth", Map.of()).pod()).startsWith("berth-calm");
        }
    }

    /// By turns among three, four calls in a row never reach the same pod.
    private void awaitOnly(String service, Map<String, String> headers, String pods) {
        Await.until("the rule holds", () -> {
            for (var i = 0; i < 4; i++) {
                if (!call(service, headers).pod().startsWith(pods)) {
                    return false;
                }
            }
            return true;
        });
    }

    private Http.Answer call(String service, Map<String, String> headers) throws IOException {
        return Http.call(quay.portal(), quay.service(service), "GET", "/", headers);
    }

    @Test
    void subsetThatNobodyDeclaredAnswers503() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("000-01").replace("subset: swell", "subset: gale"));
        Await.until(
                "it answers 503",
                () -> call("berth", Map.of("pilot-name", "marlow")).status() == 503);
        Await.until("the author is told", () -> quay.mesh.problems().toString().contains("subset gale"));
    }

    @Test
    void weights() throws Exception {
        quay.mesh.write(FILE, Quay.corpus("004-04"));
        awaitOnly("customs", Map.of("probe", "on"), "customs-swell");
        var landed = new HashMap<String, Integer>();
        for (var i = 0; i < 1500; i++) {
            var pod = call("customs", Map.of()).pod();
            landed.merge(pod.startsWith("customs-swell") ? "swell" : "calm", 1, Integer::sum);
        }
        // Four standard deviations of 1500 draws are 62.
        assertThat(landed.get("swell")).isBetween(300 - 62, 300 + 62);
    }

    @Test
    void aServiceHasAWaypointOfItsOwnOrNone() throws Exception {
        quay.mesh.write("own.yaml", Quay.corpus("001-06") + "\n---\n" + Quay.corpus("001-07"));
        quay.awaitWaypoint("customs-waypoint-0", "customs");
        for (var i = 0; i < 20; i++) {
            assertThat(get("customs", "/own")).isEqualTo(200);
        }
        Await.until("those calls are logged", () -> quay.requests("customs-waypoint-0", "/own") == 20);
        assertThat(quay.requests(WAYPOINT, "/own")).isZero();
        assertThat(get("berth", "/other")).isEqualTo(200);
        Await.until("another Service has the shared one", () -> quay.requests(WAYPOINT, "/other") == 1);
        assertThat(quay.requests("customs-waypoint-0", "/other")).isZero();

        var failed = 0;
        quay.mesh.delete("own.yaml");
        for (var i = 0; i < 200; i++) {
            failed += get("customs", "/") == 200 ? 0 : 1;
        }
        assertThat(failed).as("calls that failed while the Gateway went away").isZero();
    }

    /// The one's endpoint is outside of the mesh, the other's are in it.
    @Test
    void hostsOfServiceEntriesAreServedAndWhatGovernsThemHasNoWayAround() throws Exception {
        try (var outside = Http.serveOutside(AWAY.getPort())) {
            assertThat(answer(AWAY, "POST")).as("ungoverned").isEqualTo(200);
            quay.mesh.write(FILE, ENTRIES);
            for (var host : List.of(OFFSHORE, ONSHORE)) {
                Await.until(host + " is read only", () -> answer(host, "POST") == 403);
                assertThat(answer(host, "GET")).as(host + "").isEqualTo(200);
            }
            Await.until("those calls are logged", () -> quay.log(WAYPOINT).contains("offshore.example"));
            var served = outside.served();
            assertThat(answer(AWAY, "GET")).as("past the waypoint").isZero();
            assertThat(outside.served()).isEqualTo(served);
            quay.mesh.write(FILE, ENTRIES.replace("use-waypoint: quay-waypoint", "use-waypoint: ghost"));
            for (var host : List.of(OFFSHORE, ONSHORE)) {
                Await.until(host + " takes nobody", () -> answer(host, "GET") == 0);
            }
            assertThat(answer(AWAY, "GET"))
                    .as("past a waypoint that is not there")
                    .isZero();
        }
    }

    @Test
    void anEntryWithoutEndpointsIsReachedThroughItsWaypointWhereItWasDialled() throws Exception {
        try (var _ = Http.serveOutside(AWAY.getPort())) {
            quay.mesh.write(FILE, """
                    apiVersion: networking.istio.io/v1
                    kind: ServiceEntry
                    metadata: {name: passed, namespace: quay, labels: {istio.io/use-waypoint: quay-waypoint}}
                    spec:
                      hosts: [passed.example]
                      addresses: [198.18.0.0/31]
                      resolution: NONE
                      ports: [{number: 18080, name: http, protocol: HTTP}]
                    ---
                    apiVersion: security.istio.io/v1
                    kind: AuthorizationPolicy
                    metadata: {name: passed-readers, namespace: quay}
                    spec:
                      targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: passed}]
                      rules: [{to: [{operation: {methods: [GET]}}]}]
                    """);
            Await.until("it is read only", () -> answer(AWAY, "POST") == 403);
            assertThat(answer(AWAY, "GET")).isEqualTo(200);
        }
    }

    /// 0 if there is none.
    private int answer(InetSocketAddress host, String method) throws IOException {
        var from = quay.portal();
        try {
            return Http.call(from, host, method, "/").status();
        } catch (IOException refused) {
            return 0;
        }
    }

    private int get(String service, String path) throws IOException {
        return Http.call(quay.portal(), quay.service(service), "GET", path).status();
    }
}
