package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whose an object is.
class RevisionsTest {
    private static final String MESH = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: istio-system}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: pier, labels: {istio.io/rev: blue}}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: dock, labels: {istio.io/rev: prod}}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: hold, labels: {istio.io/rev: ""}}
            ---
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata: {name: istio-revision-tag-prod, labels: {istio.io/tag: prod, istio.io/rev: blue}}
            webhooks: []
            ---
            """;
    private static final String MOVED = """
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata: {name: istio-revision-tag-default, labels: {istio.io/tag: default, istio.io/rev: blue}}
            ---
            """;
    private static final String SERVICE = """
            apiVersion: v1
            kind: Service
            metadata: {name: t, namespace: %s, labels: {istio.io/tag: prod, istio.io/rev: green}}
            spec: {clusterIP: 198.19.0.1, ports: [{port: 15012}]}
            ---
            """;

    private static Revisions revisions(String own, String yaml) {
        return Revisions.of(set(yaml), settings(own));
    }

    private static TranslationSettings settings(String own) {
        return new TranslationSettings("istio-system", "Kubernetes", "cluster.local", "", "cluster.local", own);
    }

    private static ObjectSet set(String yaml) {
        var read = YamlReader.read(Path.of("mesh.yaml"), yaml);
        assertThat(read.problems()).isEmpty();
        return ObjectSet.of(read.objects(), read.problems());
    }

    /// @param label of the object, if it has one
    /// @param owner the one of `default`, `blue` and `green` that owns it
    record Row(String name, String more, String namespace, Optional<String> label, String owner) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Row> rows() {
        var none = Optional.<String>empty();
        return Stream.of(
                new Row("no label at all", "", "quay", none, "default"),
                new Row("an object of the cluster", "", "", none, "default"),
                new Row("a namespace that is not known", "", "nowhere", none, "default"),
                new Row("the object's label", "", "quay", Optional.of("blue"), "blue"),
                new Row("the default's name as a label", "", "quay", Optional.of("default"), "default"),
                new Row("an empty label is the default's", "", "pier", Optional.of(""), "default"),
                new Row("the namespace's label", "", "pier", none, "blue"),
                new Row("an empty label of the namespace", "", "hold", none, "default"),
                new Row("the object's label goes before", "", "pier", Optional.of("green"), "green"),
                new Row("back to the default", "", "pier", Optional.of("default"), "default"),
                new Row("a tag on the object", "", "quay", Optional.of("prod"), "blue"),
                new Row("a tag on the namespace", "", "dock", none, "blue"),
                new Row("a label that is nobody's", "", "quay", Optional.of("bleu"), "nobody"),
                new Row("the default is a tag", MOVED, "quay", none, "blue"),
                new Row("the default by name, as a tag", MOVED, "quay", Optional.of("default"), "blue"),
                new Row(
                        "a Service of the system namespace is a tag",
                        SERVICE.formatted("istio-system"),
                        "dock",
                        none,
                        "green"),
                new Row("one of another namespace is none", SERVICE.formatted("quay"), "dock", none, "blue"));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void everyObjectHasOneOwner(Row row) {
        var labels = row.label.map(said -> Map.of("istio.io/rev", said)).orElse(Map.of());
        for (var own : new String[] {"default", "blue", "green"}) {
            assertThat(revisions(own, MESH + row.more).owns(row.namespace, labels))
                    .as(own)
                    .isEqualTo(own.equals(row.owner));
        }
    }

    private static final String WRITTEN = MESH + """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: ours, namespace: pier}
            spec: {action: DENY, rules: [{}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: theirs, namespace: quay, labels: {istio.io/rev: prod}}
            spec: {action: DENY, rules: [{}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: theirs, namespace: quay, labels: {istio.io/rev: blue}}
            spec: {parentRefs: [{group: "", kind: Service, name: berth}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: wp, namespace: pier, labels: {istio.io/rev: blue}}
            spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: pier, labels: {istio.io/rev: blue}}
            spec: {clusterIP: 198.19.0.2, ports: [{port: 80}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: p, namespace: pier, labels: {istio.io/rev: blue}}
            spec: {nodeName: n, containers: [{name: c}]}
            status: {phase: Running, podIP: 198.18.65.2}
            """;

    @Test
    void onlyItsOwnLabelTakesConfigurationAwayAndWhatRunsIsKnownToAll() {
        var all = set(WRITTEN);
        var here = Revisions.of(all, settings("default")).configuration();
        assertThat(all.objects().keySet())
                .filteredOn(key -> !here.objects().containsKey(key))
                .extracting(Object::toString)
                .containsExactly("AuthorizationPolicy quay/theirs", "HTTPRoute quay/theirs");
        assertThat(here.problems()).singleElement().satisfies(told -> {
            assertThat(told.object()).isEqualTo("AuthorizationPolicy quay/theirs");
            assertThat(told.severity()).isEqualTo(Problem.Severity.WARNING);
            assertThat(told.message()).contains("istio.io/rev: prod").contains("revision default");
        });
        var sent = Translator.translate(here, settings("default"));
        assertThat(sent.policies()).containsOnlyKeys("pier/ours");
        assertThat(sent.addresses()).containsKeys("pier/berth.pier.svc.cluster.local", "Kubernetes//Pod/pier/p");

        var there = Revisions.of(all, settings("blue")).configuration();
        assertThat(there).isEqualTo(all);
        assertThat(Translator.translate(there, settings("blue")).policies())
                .containsOnlyKeys("pier/ours", "quay/theirs");
    }
}
