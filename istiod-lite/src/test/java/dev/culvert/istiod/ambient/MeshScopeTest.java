package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Which objects the mesh's configuration leaves in the mesh.
class MeshScopeTest {
    private static ObjectSet scope(String namespace, String mesh) {
        var read = YamlReader.read(Path.of("mesh.yaml"), """
            apiVersion: v1
            kind: Namespace
            metadata: {name: istio-system}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay, labels: {mesh: "yes"}}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: shed}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: quay}
            spec: {clusterIP: 198.19.0.1, ports: [{port: 80}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: shed}
            spec: {clusterIP: 198.19.0.2, ports: [{port: 80}]}
            ---
            apiVersion: v1
            kind: Node
            metadata: {name: node-1}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: istio-system}
            spec: {mtls: {mode: STRICT}}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: istio, namespace: %s}
            data:
              mesh: |
                %s
            """.formatted(namespace, mesh));
        return MeshScope.of(ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    @Test
    void namespacesThatNoSelectorChoosesAreNotInTheMesh() {
        var scope = scope("istio-system", "discoverySelectors: [{matchLabels: {mesh: \"yes\"}}]");
        assertThat(scope.problems()).isEmpty();
        assertThat(scope.objects().keySet())
                .extracting(Object::toString)
                .containsExactlyInAnyOrder(
                        "Namespace istio-system",
                        "Namespace quay",
                        "Service quay/berth",
                        "Node node-1",
                        "PeerAuthentication istio-system/default",
                        "ConfigMap istio-system/istio");
        var sent = Translator.translate(scope, TranslationSettings.defaults());
        assertThat(sent.addresses().keySet()).contains("quay/berth.quay.svc.cluster.local");
        assertThat(sent.addresses().keySet()).noneMatch(key -> key.contains("shed"));
    }

    @Test
    void withoutSelectorsEverythingIs() {
        assertThat(scope("istio-system", "trustDomain: cluster.local").objects())
                .hasSize(8);
        assertThat(scope("quay", "discoverySelectors: [{matchLabels: {mesh: \"no\"}}]")
                        .objects())
                .as("that of another namespace says nothing")
                .hasSize(8);
    }

    @Test
    void whatTheControllerWasStartedWithCountsAndTheAuthorIsTold() {
        assertThat(scope("istio-system", "{trustDomain: example.org, rootNamespace: roots}")
                        .problems())
                .extracting(Problem::message)
                .satisfiesExactlyInAnyOrder(
                        message -> assertThat(message).startsWith("trustDomain example.org has no effect"),
                        message -> assertThat(message).startsWith("rootNamespace roots has no effect"));
        assertThat(scope("istio-system", "discoverySelectors: [{matchLabels: {mesh: \"no\"}}]")
                        .problems())
                .extracting(Problem::message)
                .singleElement()
                .asString()
                .contains("select no namespace but istio-system");
    }
}
