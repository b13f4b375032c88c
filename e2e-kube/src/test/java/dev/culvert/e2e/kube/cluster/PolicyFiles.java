package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The files of the corpus on policies and tokens that a waypoint enforces, and on all versions of an object. Each test
/// names its files.
abstract class PolicyFiles extends HarbourFiles {
    private static final String ISSUER = "https://issuer.harbour.test";
    private static final String OFFICE = "berth-office";

    PolicyFiles(InstalledMesh mesh, Harbour harbour) {
        super(mesh, harbour);
    }

    private Pod portal() {
        return harbour.pods("portal").getFirst();
    }

    private Pod customs() {
        return harbour.pods("customs").getFirst();
    }

    private int status(Pod from, String method, String path, String... headers) throws Exception {
        return harbour.status(from, method, BERTH + path, headers);
    }

    private void awaitStatus(Pod from, String method, String path, int status) throws Exception {
        Await.until(method + " " + path + " answers " + status, () -> status(from, method, path) == status);
    }

    /// `000-03`
    @Test
    void onlyReadersAreServed() throws Exception {
        harbour.apply(Harbour.file("000-03"));
        awaitStatus(portal(), "POST", "/tariffs/1", 403);
        assertThat(status(portal(), "GET", "/tariffs/1")).isEqualTo(200);
        assertThat(status(portal(), "GET", "/ledger")).isEqualTo(403);
        awaitCondition("AuthorizationPolicy", "tariff-readers", "WaypointAccepted", "True");
        Await.until(
                "the log names the policy",
                () -> cluster.log(harbour.waypoint("quay-waypoint")).contains("tariff-readers"));
        Await.until(
                "a counter names the policy",
                () -> metrics(harbour.waypoint("quay-waypoint")).contains("tariff-readers"));
    }

    /// `002-05`
    @Test
    void twoCallersMayDoWhatIsTheirs() throws Exception {
        harbour.apply(Harbour.file("002-05"));
        awaitStatus(portal(), "POST", "/slots/7", 403);
        assertThat(status(portal(), "GET", "/slots/7")).isEqualTo(200);
        for (var method : List.of("GET", "POST", "PUT", "DELETE")) {
            assertThat(status(customs(), method, "/slots/7")).as(method).isEqualTo(200);
        }
        assertThat(status(customs(), "GET", "/other")).isEqualTo(403);
        assertThat(status(harbour.pods("berth").getFirst(), "GET", "/slots/7"))
                .as("a third account")
                .isEqualTo(403);
        for (var node : List.of(near, far)) {
            assertThat(status(stranger(node), "GET", "/slots/7"))
                    .as("outside the mesh")
                    .isNotEqualTo(200);
        }
        assertThat(harbour.get("portal", BERTH + "/slots/7")).contains("URI=spiffe://cluster.local/ns/quay/sa/portal");
    }

    /// `003-06`, and `003-05` with its tokens
    @Test
    void tokensAndThreeWaysIn() throws Exception {
        var issuer = new Issuer();
        harbour.apply(keys(issuer.keys()));
        cluster.awaitReady(Harbour.QUAY, "keys");
        harbour.apply(Harbour.file("003-06"));
        var now = Instant.now().getEpochSecond();
        var good = bearer(issuer.token(ISSUER, OFFICE, now + 3600));
        awaitStatus(portal(), "GET", "/slots", 200);
        Await.until(
                "a token that has ended is refused",
                () -> status(portal(), "GET", "/slots", bearer(issuer.token(ISSUER, OFFICE, now - 3600))) == 401);
        Await.until("a good token is taken", () -> status(portal(), "GET", "/slots", good) == 200);
        assertThat(harbour.get("portal", BERTH + "/slots", good)).containsIgnoringCase(good);
        for (var bad : List.of(
                issuer.token("https://pirate.test", OFFICE, now + 3600),
                new Issuer().token(ISSUER, OFFICE, now + 3600))) {
            assertThat(status(portal(), "GET", "/slots", bearer(bad))).as(bad).isEqualTo(401);
        }

        assertThat(status(portal(), "GET", "/slots", bearer(issuer.token(ISSUER, "another-office", now + 3600))))
                .as("another audience, as Envoy answers it")
                .isEqualTo(403);

        harbour.apply(Harbour.file("003-05"));
        awaitStatus(portal(), "GET", "/slots", 403);
        assertThat(status(portal(), "GET", "/slots", good)).isEqualTo(200);
        assertThat(status(portal(), "POST", "/slots", good)).isEqualTo(403);
        assertThat(status(customs(), "POST", "/slots/4/clear")).isEqualTo(200);
        assertThat(status(customs(), "POST", "/slots/4/x/clear")).isEqualTo(403);
        assertThat(status(customs(), "GET", "/slots/4/clear")).isEqualTo(403);
        assertThat(status(portal(), "POST", "/slots/4/clear")).isEqualTo(403);
        assertThat(status(portal(), "GET", "/slots/4")).as("not the gateway").isEqualTo(403);
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }

    /// A server of keys, as the file names it.
    private static String keys(String json) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: keys, namespace: quay}
                data: {jwks.json: '%s'}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: keys, namespace: quay}
                spec: {selector: {app: keys}, ports: [{name: http, port: 8080}]}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: keys, namespace: quay, labels: {app: keys}}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                  - name: keys
                    image: mesh-echo:test
                    command: [httpd, -f, -p, "8080", -h, /keys]
                    volumeMounts: [{name: keys, mountPath: /keys}]
                  volumes: [{name: keys, configMap: {name: keys}}]
                """.formatted(json);
    }

    /// `003-05b`
    @Test
    void aStarWithinAPathIsItselfAndSaidToBe() throws Exception {
        assertWarned("003-05b", "{*}");
        harbour.apply(Harbour.file("003-05b"));
        awaitStatus(portal(), "POST", "/slots/4/clear", 403);
        assertThat(status(portal(), "POST", "/slots/*/clear")).isEqualTo(200);
    }

    /// `001-17`, from a node
    @Test
    void aGatewayOfTheQuickstartServesItsRoute() throws Exception {
        harbour.apply(Harbour.file("001-17"));
        awaitCondition("Gateway", "harbour-gate", "Accepted", "True");
        Await.until("portal answers", () -> front("harbour.test", "/front").equals("200"));
        assertThat(front("harbour.test", "/back")).isEqualTo("404");
        assertThat(front("elsewhere.test", "/front")).isEqualTo("404");
    }

    private String front(String host, String path) throws Exception {
        var service = cluster.client()
                .services()
                .inNamespace(Harbour.QUAY)
                .withName("harbour-gate-istio")
                .get();
        return cluster.onNode(
                near,
                "curl -s -o /dev/null -w '%{http_code}' -H 'Host: " + host + "' http://"
                        + service.getSpec().getClusterIP() + path + "; true");
    }

    /// Each version of an object gives the same.
    @Test
    void versionsOfAnObjectAreAlike() throws Exception {
        for (var file : List.of("000-01", "000-02", "002-04", "003-02b", "004-06b")) {
            assertAlike(file, "networking.istio.io/", "v1", "v1beta1", "v1alpha3");
        }
        for (var file : List.of("000-03", "000-03b", "003-04", "003-05b", "003-06")) {
            assertAlike(file, "security.istio.io/", "v1", "v1beta1");
        }
        harbour.apply(Harbour.file("000-02").replaceAll("networking.istio.io/\\w+", "networking.istio.io/v1alpha3"));
        harbour.apply(Harbour.file("000-01").replaceAll("networking.istio.io/\\w+", "networking.istio.io/v1alpha3"));
        Await.until(
                "a rule of the oldest version holds",
                () -> harbour.call("portal", 9, "GET", BERTH + "/", "pilot-name: marlow")
                        .isOnly("200 h2/berth-swell"));
    }

    private void assertAlike(String file, String group, String... versions) throws Exception {
        var text = Harbour.file(file);
        assertThat(text).contains(group);
        var first = cluster.warnings(text.replaceAll(group + "\\w+", group + versions[0]));
        for (var version : versions) {
            assertThat(cluster.warnings(text.replaceAll(group + "\\w+", group + version)))
                    .as(file + " in " + version)
                    .isEqualTo(first);
        }
    }
}
