package dev.culvert.istiod.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.Request;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.ServingTls;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

class AdmissionPageTest {
    private static final String BLOCK = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: by-block, namespace: quay}
            spec:
              selector: {matchLabels: {app: berth}}
              rules: [{from: [{source: {ipBlocks: [198.18.0.0/%s]}}]}]
            """;

    private final ObjectMapper json = new ObjectMapper();

    private static AdmissionPage page() {
        var neighbours = new BoundedNeighbours(
                () -> ObjectSet.EMPTY,
                (_, object) -> List.of(
                        Problem.warning(
                                Place.inCluster(object.key()),
                                object.key().toString(),
                                "reaches nobody",
                                "add a label"),
                        Problem.warning(Place.inCluster(object.key()), "Service quay/other", "not asked for", "")));
        return new AdmissionPage(neighbours, (_, labels) -> !labels.containsValue("another"));
    }

    private static Object yaml(String text) {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
    }

    private String review(String object, String before) throws Exception {
        var all =
                json.createObjectNode().put("apiVersion", "admission.k8s.io/v1").put("kind", "AdmissionReview");
        var request = all.putObject("request")
                .put("uid", "u-1")
                .put("namespace", "quay")
                .put("name", "by-block");
        var said = (Map<?, ?>) yaml(object);
        var version = String.valueOf(said.get("apiVersion"));
        request.putObject("kind")
                .put("group", version.substring(0, Math.max(0, version.indexOf('/'))))
                .put("version", version.substring(version.indexOf('/') + 1))
                .put("kind", String.valueOf(said.get("kind")));
        request.set("object", json.valueToTree(said));
        request.set("oldObject", before.isEmpty() ? json.nullNode() : json.valueToTree(yaml(before)));
        return all.toString();
    }

    private JsonNode ask(String object, String before) throws Exception {
        return ask(review(object, before));
    }

    private JsonNode ask(String review) throws Exception {
        var response = page().answer(new Request("POST", "/validate", Map.of(), "", review));
        var bytes = new ByteArrayOutputStream();
        response.body().writeTo(bytes);
        var answer = json.readTree(bytes.toByteArray());
        assertThat(answer.path("kind").asText()).isEqualTo("AdmissionReview");
        assertThat(answer.path("response").path("uid").asText()).isEqualTo("u-1");
        return answer.path("response");
    }

    @Test
    void whatCannotBeReadIsRefusedAndTheAuthorToldWhatToWrite() throws Exception {
        var answer = ask(BLOCK.formatted("99"), "");
        assertThat(answer.path("allowed").asBoolean()).isFalse();
        assertThat(answer.path("status").path("message").asText())
                .startsWith("configuration is invalid: ")
                .contains("198.18.0.0/99");
        assertThat(answer.path("status").path("code").asInt()).isEqualTo(422);
    }

    @Test
    void whatDoesNothingInThisMeshIsTakenWithAWarning() throws Exception {
        var answer = ask("""
                apiVersion: networking.istio.io/v1
                kind: Sidecar
                metadata: {name: narrow, namespace: quay}
                spec: {egress: [{hosts: ["./*"]}]}
                """, "");
        assertThat(answer.path("allowed").asBoolean()).isTrue();
        assertThat(answer.path("warnings").toString())
                .contains("has no effect: this mesh has no sidecars", "remove it: node proxies learn");
    }

    @Test
    void whatDoesLessThanItSeemsToIsTakenWithWarningsOfItselfOnly() throws Exception {
        var answer = ask(BLOCK.formatted("16"), "");
        assertThat(answer.path("allowed").asBoolean()).isTrue();
        assertThat(answer.path("warnings").toString()).isEqualTo("[\"reaches nobody (add a label)\"]");
    }

    @Test
    void whatBelongsToAnotherRevisionIsThatOnesToJudge() throws Exception {
        var theirs = BLOCK.formatted("99").replaceFirst("name: ", "labels: {istio.io/rev: another}, name: ");
        var answer = ask(theirs, "");
        assertThat(answer.path("allowed").asBoolean()).isTrue();
        assertThat(answer.path("warnings")).isEmpty();
        assertThat(ask(theirs.replace("another", "ours"), "").path("allowed").asBoolean())
                .isFalse();
    }

    @Test
    void whatWasWrongBeforeAndIsNotTouchedIsNotHeldUp() throws Exception {
        var wrong = BLOCK.formatted("99");
        var labelled = wrong.replace("namespace: quay", "namespace: quay, labels: {team: crane}");
        assertThat(ask(labelled, wrong).path("allowed").asBoolean()).isTrue();
        assertThat(ask(labelled, BLOCK.formatted("16")).path("allowed").asBoolean())
                .isFalse();
        var going = wrong.replace("namespace: quay", "namespace: quay, deletionTimestamp: '2026-01-01T00:00:00Z'");
        assertThat(ask(going, BLOCK.formatted("16")).path("allowed").asBoolean())
                .isTrue();
    }

    @Test
    void anObjectOfTheClusterHasNoNamespace() throws Exception {
        var gatewayClass = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: lock},"
                + " spec: {controllerName: example.org/keeper}}";
        var whole = (ObjectNode) json.readTree(review(gatewayClass, ""));
        ((ObjectNode) whole.path("request")).remove("namespace");
        assertThat(ask(whole.toString()).path("allowed").asBoolean()).isTrue();
    }

    @Test
    void kindsOfOthersAreTheirs() throws Exception {
        var foreign = BLOCK.formatted("99").replace("security.istio.io/v1", "policy.example.org/v1");
        assertThat(ask(foreign, "").path("allowed").asBoolean()).isTrue();
    }

    @Test
    void aReviewThatIsNoneIsABadRequest() {
        for (var body : List.of("", "[", "{}", "{\"request\":{}}")) {
            assertThatThrownBy(() -> page().answer(new Request("POST", "/validate", Map.of(), "", body)))
                    .as(body)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no AdmissionReview");
        }
        assertThatThrownBy(() -> ask("{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy}", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("metadata is missing");
    }

    @Test
    void theApiServerTrustsOurRoots(@TempDir Path directory) throws Exception {
        var authority = CertificateAuthority.open(directory, Clock.systemUTC());
        var loopback = InetAddress.ofLiteral("127.0.0.1");
        var tls = new ServingTls(authority, List.of("localhost"), List.of(loopback));
        try (var server = HttpPages.builder()
                        .tls(tls.pages())
                        .post("/validate", AdmissionPage.MAX_BODY, page())
                        .start(List.of(new InetSocketAddress(loopback, 0)));
                var client =
                        HttpClient.newBuilder().sslContext(trusting(authority)).build()) {
            var uri = URI.create(
                    "https://127.0.0.1:" + server.addresses().getFirst().getPort() + "/validate");
            var request = HttpRequest.newBuilder(uri)
                    .POST(HttpRequest.BodyPublishers.ofString(review(BLOCK.formatted("99"), "")))
                    .build();
            for (var round = 0; round < 2; round++) {
                var answer = client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
                assertThat(answer.body()).contains("\"allowed\":false");
                tls.renew();
            }
        }
    }

    private static SSLContext trusting(CertificateAuthority authority) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("root", authority.chain().roots().getFirst());
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
