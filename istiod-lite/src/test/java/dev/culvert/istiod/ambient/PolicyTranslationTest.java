package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.wire.PolicyReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Policies as users write them, translated, and then decided by what a ztunnel decides with.
class PolicyTranslationTest {
    private static final String WORLD = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: cart-0
              namespace: shop
              labels: {app: cart}
              annotations: {ambient.istio.io/redirection: enabled}
            spec: {serviceAccountName: cart, containers: [{name: main}]}
            status: {podIP: 198.18.65.2}
            """;
    private static final String UID = "Kubernetes//Pod/shop/cart-0";

    /// Two connections that differ in as little as decides.
    record Row(String policies, Call allowed, Call denied) {}

    /// A connection to cart-0.
    record Call(@Nullable String account, String from, int port) {
        static Call by(String account) {
            return new Call(account, "198.18.66.2", 8080);
        }

        static Call plaintext() {
            return new Call(null, "198.18.66.2", 8080);
        }

        Call port(int other) {
            return new Call(account, from, other);
        }

        Call from(String other) {
            return new Call(account, other, port);
        }
    }

    private static final Call WEB = Call.by("cluster.local/shop/web");
    private static final Call BATCH = Call.by("cluster.local/shop/batch");

    static Stream<Row> rows() {
        return Stream.of(
                // who
                new Row(allow("from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]"), WEB, BATCH),
                new Row(deny("from: [{source: {principals: [cluster.local/ns/shop/sa/batch]}}]"), WEB, BATCH),
                new Row(allow("from: [{source: {principals: [\"*/sa/web\"]}}]"), WEB, BATCH),
                new Row(allow("from: [{source: {principals: [\"*\"]}}]"), WEB, Call.plaintext()),
                new Row(allow("from: [{source: {notPrincipals: [\"*/sa/batch\"]}}]"), WEB, BATCH),
                new Row(allow("from: [{source: {namespaces: [shop]}}]"), WEB, Call.by("cluster.local/ops/web")),
                new Row(deny("from: [{source: {notNamespaces: [shop]}}]"), WEB, Call.plaintext()),
                new Row(allow("from: [{source: {serviceAccounts: [web]}}]"), WEB, Call.by("cluster.local/ops/web")),
                new Row(allow("from: [{source: {serviceAccounts: [ops/web]}}]"), Call.by("cluster.local/ops/web"), WEB),
                new Row(
                        allow("from: [{source: {trustDomains: [cluster.local]}}]"),
                        WEB,
                        Call.by("cluster.localx/shop/web")),
                new Row(
                        allow("from: [{source: {trustDomains: [cluster.local], principals: [\"*/sa/web\"]}}]"),
                        WEB,
                        Call.by("other/shop/web")),
                new Row(
                        allow("from: [{source: {trustDomains: [a], principals: [\"*/sa/web\"]}},"
                                + " {source: {principals: [\"*/sa/batch\"]}}]"),
                        BATCH,
                        WEB),
                new Row(allow("from: [{source: {ipBlocks: [198.18.66.0/24]}}]"), WEB, WEB.from("198.18.67.2")),
                new Row(deny("from: [{source: {notIpBlocks: [198.18.66.2]}}]"), WEB, WEB.from("198.18.66.3")),
                // what
                new Row(allow("to: [{operation: {ports: [\"8080\"]}}]"), WEB, WEB.port(8081)),
                new Row(deny("to: [{operation: {notPorts: [\"8080\"]}}]"), WEB, WEB.port(8081)),
                new Row(
                        allow("from: [{source: {serviceAccounts: [web]}}], to: [{operation: {ports: [\"8080\"]}}]"),
                        WEB,
                        WEB.port(8081)),
                // when
                new Row(allow("when: [{key: source.ip, values: [198.18.66.2]}]"), WEB, WEB.from("198.18.66.3")),
                new Row(allow("when: [{key: destination.port, notValues: [\"81\"]}]"), WEB, WEB.port(81)),
                new Row(allow("when: [{key: source.principal, values: [\"*/sa/web\"]}]"), WEB, BATCH),
                new Row(allow("when: [{key: source.namespace, values: [\"sh*\"]}]"), WEB, Call.plaintext()),
                new Row(
                        allow(
                                "when: [{key: destination.ip, values: [198.18.65.2]}, {key: source.ip, values: [198.18.66.2]}]"),
                        WEB,
                        WEB.from("198.18.66.3")),
                // what a node proxy cannot see
                new Row(
                        allow("to: [{operation: {methods: [GET]}}]") + allow("to: [{operation: {ports: [\"81\"]}}]"),
                        WEB.port(81),
                        WEB),
                new Row(
                        deny("from: [{source: {serviceAccounts: [batch]}}], to: [{operation: {paths: [/admin]}}]"),
                        WEB,
                        BATCH),
                new Row(
                        deny("to: [{operation: {ports: [\"81\"], methods: [GET]}}, {operation: {ports: [\"82\"]}}]"),
                        WEB,
                        WEB.port(81)),
                new Row(deny("from: [{source: {trustDomains: [\"*.evil\"], serviceAccounts: [batch]}}]"), WEB, BATCH),
                // several
                new Row(
                        allow("from: [{source: {namespaces: [shop]}}]") + deny("to: [{operation: {ports: [\"81\"]}}]"),
                        WEB,
                        WEB.port(81)),
                // encryption
                new Row(peer("mtls: {mode: STRICT}"), WEB, Call.plaintext()),
                new Row(
                        peer("mtls: {mode: STRICT}").replace("namespace: shop", "namespace: istio-system"),
                        WEB,
                        Call.plaintext()),
                new Row(
                        peer(
                                "selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}, portLevelMtls: {81: {mode: DISABLE}}"),
                        Call.plaintext().port(81),
                        Call.plaintext()),
                new Row(
                        peer("selector: {matchLabels: {app: cart}}, portLevelMtls: {81: {mode: STRICT}}"),
                        Call.plaintext(),
                        Call.plaintext().port(81)));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void theNearestOtherConnectionIsDecidedTheOtherWay(Row row) {
        var translation = translate(row.policies);
        assertThat(decide(translation, row.allowed))
                .as("allowed: " + translation.policies())
                .isTrue();
        assertThat(decide(translation, row.denied))
                .as("denied: " + translation.policies())
                .isFalse();
    }

    @Test
    void aDenyOfWhatNobodyHereSeesDeniesEverything() {
        var translation = translate(deny("to: [{operation: {paths: [/admin]}}]"));
        assertThat(decide(translation, WEB)).isFalse();
        assertThat(text(translation))
                .contains("shop.yaml:18: AuthorizationPolicy shop/d")
                .contains("cannot see paths: this DENY rule denies without looking at them")
                .contains("keep to ports");
    }

    @Test
    void narrowerModesWin() {
        var meshStrict = peer("mtls: {mode: STRICT}").replace("namespace: shop", "namespace: istio-system");
        assertThat(decide(translate(meshStrict + peer("mtls: {mode: PERMISSIVE}")), Call.plaintext()))
                .isTrue();
        assertThat(decide(translate(meshStrict + peer("mtls: {mode: UNSET}")), Call.plaintext()))
                .isFalse();
        var selecting = peer("selector: {matchLabels: {app: cart}}, mtls: {mode: DISABLE}")
                .replace("name: peer", "name: one");
        assertThat(decide(translate(peer("mtls: {mode: STRICT}") + selecting), Call.plaintext()))
                .isTrue();
    }

    @Test
    void conversionsHaveIstiosNames() {
        var strict = translate(peer("mtls: {mode: STRICT}"));
        assertThat(keys(strict)).containsExactly("istio-system/istio_converted_static_strict");
        var ports = translate(peer("selector: {matchLabels: {app: cart}}, portLevelMtls: {81: {mode: STRICT}}"));
        assertThat(keys(ports)).containsExactly("shop/converted_peer_authentication_peer");
        var selected = translate(allow("from: [{source: {namespaces: [shop]}}]")
                .replace("spec: {", "spec: {selector: {matchLabels: {app: cart}}, "));
        assertThat(keys(selected)).containsExactly("shop/p");
        assertThat(keys(translate(allow("from: [{source: {namespaces: [shop]}}]"))))
                .isEmpty();
        assertThat(keys(translate(peer("mtls: {mode: PERMISSIVE}")))).isEmpty();
    }

    /// What an author is told.
    record Told(String policy, Problem.Severity severity, String message, String fix) {}

    static Stream<Told> told() {
        var harmless = "to: [{operation: {ports: [\"81\"]}}]";
        var warning = Problem.Severity.WARNING;
        var error = Problem.Severity.ERROR;
        return Stream.of(
                new Told(
                        allow(harmless).replace("spec: {", "spec: {selector: {matchLabels: {app: cat}}, "),
                        warning,
                        "has no effect: no pod has the labels of its selector",
                        "matchLabels"),
                new Told(
                        allow(harmless).replace("namespace: shop", "namespace: shp"),
                        warning,
                        "has no effect: there is no pod in namespace shp",
                        "correct the namespace"),
                new Told(
                        allow(harmless).replace("action: ALLOW", "action: AUDIT"),
                        error,
                        "is not enforced: action AUDIT",
                        "write ALLOW or DENY"),
                new Told(
                        allow("to: [{operation: {methods: [GET]}}]"),
                        warning,
                        "cannot see methods: this ALLOW rule never allows",
                        "keep to ports"),
                new Told(
                        allow("from: [{source: {principals: [\"spiffe://cluster.local/ns/a/sa/b\"]}}]"),
                        warning,
                        "never matches",
                        "write cluster.local/ns/a/sa/b"),
                new Told(
                        peer("selector: {matchLabels: {app: cart}}")
                                .replace("namespace: shop", "namespace: istio-system"),
                        warning,
                        "a selector means nothing in the root namespace",
                        "move it"),
                new Told(
                        peer("mtls: {mode: STRICT}").replace("name: peer", "name: a") + peer("mtls: {mode: DISABLE}"),
                        warning,
                        "PeerAuthentication shop/a at shop.yaml:15 is older and wins",
                        "remove one"),
                new Told(
                        """
                        ---
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: p, namespace: outside}
                        spec: {containers: [{name: main}]}
                        """ + allow(harmless).replace("namespace: shop", "namespace: outside"),
                        warning,
                        "none of the pods it is for is in the mesh",
                        "istio.io/dataplane-mode: ambient"));
    }

    @ParameterizedTest
    @MethodSource("told")
    void whatHasNoEffectIsTold(Told told) {
        var problems = translate(told.policy).problems();
        assertThat(problems).as(problems.toString()).hasSize(1);
        assertThat(problems.getFirst().severity()).isEqualTo(told.severity);
        assertThat(problems.getFirst().message()).contains(told.message);
        assertThat(problems.getFirst().fix()).contains(told.fix);
        assertThat(problems.getFirst().place().source()).isEqualTo("shop.yaml");
    }

    private static boolean decide(Translation translation, Call call) {
        var workload = Objects.requireNonNull(translation.addresses().get(UID)).getWorkload();
        var applicable = translation.policies().entrySet().stream()
                .filter(entry -> switch (entry.getValue().getScope()) {
                    case GLOBAL -> true;
                    case NAMESPACE -> entry.getValue().getNamespace().equals("shop");
                    case WORKLOAD_SELECTOR, UNRECOGNIZED ->
                        workload.getAuthorizationPoliciesList().contains(entry.getKey());
                })
                .map(entry -> PolicyReader.read(entry.getValue()))
                .toList();
        return Authorizer.decide(new Authorizer.Applicable(List.<Policy>copyOf(applicable), null), facts(call))
                .isAllowed();
    }

    private static ConnectionFacts facts(Call call) {
        var destination = new InetSocketAddress(InetAddress.ofLiteral("198.18.65.2"), call.port);
        return new ConnectionFacts(identity(call.account), InetAddress.ofLiteral(call.from), destination);
    }

    private static @Nullable SpiffeId identity(@Nullable String account) {
        if (account == null) {
            return null;
        }
        var parts = account.split("/", -1);
        return new SpiffeId(parts[0], parts[1], parts[2]);
    }

    private static List<String> keys(Translation translation) {
        return Objects.requireNonNull(translation.addresses().get(UID))
                .getWorkload()
                .getAuthorizationPoliciesList();
    }

    private static String text(Translation translation) {
        return translation.problems().toString();
    }

    private static String allow(String rule) {
        var name = rule.contains("\"81\"") ? "p81" : "p";
        return policy(name, "{action: ALLOW, rules: [{" + rule + "}]}");
    }

    private static String deny(String rule) {
        return policy("d", "{action: DENY, rules: [{" + rule + "}]}");
    }

    private static String policy(String name, String spec) {
        return "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " + name
                + ", namespace: shop}\nspec: " + spec + "\n";
    }

    private static String peer(String spec) {
        return "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: peer, namespace: shop}\n"
                + "spec: {" + spec + "}\n";
    }

    private static Translation translate(String policies) {
        var read = YamlReader.read(Path.of("shop.yaml"), WORLD + policies);
        assertThat(read.problems()).isEmpty();
        return Translator.translate(ObjectSet.of(read.objects(), List.of()), TranslationSettings.defaults());
    }
}
