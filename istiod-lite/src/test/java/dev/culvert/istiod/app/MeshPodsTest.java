package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MeshPodsTest {
    private static final ObjectSet MESH =
            ObjectSet.of(YamlReader.read(Path.of("mesh.yaml"), """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: ztunnel-1, namespace: istio-system, uid: u1}
                    spec: {nodeName: node-1, serviceAccountName: ztunnel, containers: [{name: c}]}
                    status: {phase: Running}
                    ---
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: cart-0, namespace: shop, uid: u2}
                    spec: {nodeName: node-1, serviceAccountName: cart, containers: [{name: c}]}
                    status: {phase: Running}
                    ---
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: job, namespace: shop, uid: u3}
                    spec: {nodeName: node-1, serviceAccountName: batch, containers: [{name: c}]}
                    status: {phase: Succeeded}
                    """).objects(), List.of());
    private final MeshPods pods = new MeshPods(() -> MESH);

    @Test
    void aCallerIsOnTheNodeOfItsPodWhateverItSays() {
        assertThat(pods.node(new Caller("istio-system", "ztunnel", "ztunnel-1", "u1", "node-2")))
                .contains("node-1");
    }

    static Stream<Caller> strangers() {
        return Stream.of(
                new Caller("istio-system", "ztunnel", "ztunnel-1", "other", "node-1"),
                new Caller("istio-system", "ztunnel", "ztunnel-1", "", "node-1"),
                new Caller("istio-system", "ztunnel", "gone", "u1", "node-1"),
                new Caller("istio-system", "other", "ztunnel-1", "u1", "node-1"),
                new Caller("shop", "batch", "job", "u3", "node-1"));
    }

    @ParameterizedTest
    @MethodSource("strangers")
    void aCallerWithoutItsPodIsNowhere(Caller caller) {
        assertThat(pods.node(caller)).isEmpty();
    }

    @Test
    void onlyWhoRunsThereIsThere() {
        assertThat(pods.runsOn("node-1", "shop", "cart")).isTrue();
        assertThat(pods.runsOn("node-2", "shop", "cart")).isFalse();
        assertThat(pods.runsOn("node-1", "shop", "batch")).isFalse();
    }
}
