package dev.culvert.kube.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What the informer tells, in the order in which it does; nothing is connected.
class KindWatchTest {
    private final KubernetesClient client =
            new KubernetesClientBuilder().withConfig(Config.empty()).build();
    private final Known known = new Known();
    private final AtomicInteger changes = new AtomicInteger();
    private final KindWatch watch = watch();

    private KindWatch watch() {
        var resource = ApiResource.of(Kind.POD);
        var informer = client.genericKubernetesResources(resource.context("v1")).runnableInformer(0);
        return new KindWatch(resource, "v1", known, changes::incrementAndGet, informer);
    }

    @AfterEach
    void close() {
        client.close();
    }

    private static GenericKubernetesResource pod(String name, String phase) {
        var pod = new GenericKubernetesResource();
        pod.setMetadata(new ObjectMetaBuilder()
                .withName(name)
                .withNamespace("shop")
                .withAnnotations(Map.of("kubectl.kubernetes.io/last-applied-configuration", "{}", "kept", "yes"))
                .build());
        pod.setAdditionalProperty("spec", Map.of("containers", List.of(Map.of("name", "c"))));
        pod.setAdditionalProperty("status", Map.of("phase", phase, "containerStatuses", List.of()));
        return pod;
    }

    private List<String> names() {
        return known.snapshot().pods().stream().map(KubeObject::name).toList();
    }

    private void firstList() {
        watch.onBeforeList("");
        watch.onAdd(pod("a", "Running"));
        watch.onAdd(pod("b", "Running"));
        watch.onList("1", false);
    }

    @Test
    void theFirstListIsTakenOverAsAWhole() {
        watch.onBeforeList("");
        watch.onAdd(pod("a", "Running"));
        assertThat(names()).isEmpty();
        assertThat(watch.isListed()).isFalse();
        watch.onAdd(pod("b", "Running"));
        watch.onList("1", false);
        assertThat(names()).containsExactly("a", "b");
        assertThat(watch.isListed()).isTrue();
        assertThat(changes).hasValue(1);
    }

    @Test
    void anEmptyFirstListIsTold() {
        watch.onBeforeList("");
        watch.onList("1", true);
        assertThat(watch.isListed()).isTrue();
        assertThat(changes).hasValue(1);
    }

    @Test
    void eventsCountAtOnce() {
        firstList();
        watch.onUpdate(pod("a", "Running"), pod("a", "Succeeded"));
        assertThat(known.snapshot().pods().getFirst().finished()).isTrue();
        watch.onDelete(pod("b", "Running"), false);
        assertThat(names()).containsExactly("a");
        watch.onUpdate(pod("a", "Succeeded"), pod("a", "Succeeded"));
        assertThat(changes).hasValue(3);
    }

    @Test
    void aLaterListIsTakenOverAsAWholeToo() {
        firstList();
        watch.onBeforeList("1");
        watch.onDelete(pod("a", "Running"), true);
        watch.onAdd(pod("c", "Running"));
        assertThat(names()).containsExactly("a", "b");
        watch.onList("2", false);
        assertThat(names()).containsExactly("b", "c");
        assertThat(changes).hasValue(2);
    }

    @Test
    void whatIsLargeAndNotReadIsDropped() {
        firstList();
        assertThat(known.snapshot().pods().getFirst().metadata().annotations())
                .containsExactly(Map.entry("kept", "yes"));
        assertThat(Json.of(pod("a", "Running"))).extracting("status").isEqualTo(Map.of("phase", "Running"));
    }
}
