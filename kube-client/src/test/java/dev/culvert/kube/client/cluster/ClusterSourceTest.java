package dev.culvert.kube.client.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.culvert.kube.client.ClusterSource;
import dev.culvert.kube.client.KubernetesClients;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Service;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterSourceTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String namespace = "source-" + UUID.randomUUID().toString().substring(0, 8);
    private final LinkedBlockingQueue<ObjectSet> told = new LinkedBlockingQueue<>();
    private KubernetesClient client;

    @BeforeEach
    void connect() throws IOException {
        client = KubernetesClients.open(Path.of(System.getenv("CULVERT_KUBECONFIG")), Map.of());
        client.namespaces()
                .resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .endMetadata()
                        .build())
                .create();
    }

    @AfterEach
    void cleanUp() {
        client.namespaces().withName(namespace).delete();
        client.close();
    }

    @Test
    void theFirstSetIsWholeAndChangesFollow() throws Exception {
        var options = ClusterSource.Options.mesh();
        try (var source = ClusterSource.open(client, options, told::add)) {
            var first = await(_ -> true);
            assertThat(source.synced()).isTrue();
            assertThat(first.nodes()).isNotEmpty();
            assertThat(first.namespace(namespace)).isPresent();
            assertThat(first.find(Service.class, Kind.SERVICE, "default", "kubernetes"))
                    .hasValueSatisfying(
                            service -> assertThat(service.addresses()).isNotEmpty());
            assertThat(first.pods())
                    .anySatisfy(pod -> assertThat(pod.addresses()).isNotEmpty());
            assertThat(first.gaps()).isEmpty();

            client.services().inNamespace(namespace).resource(service(80)).create();
            var key = new ObjectKey(Kind.SERVICE, namespace, "cart");
            await(now -> now.objects().containsKey(key));
            client.services().inNamespace(namespace).withName("cart").delete();
            await(now -> !now.objects().containsKey(key));
            assertThat(source.staleFor()).isZero();
        }
    }

    @Test
    void onlyWhatWasAskedForIsRead() throws Exception {
        client.services().inNamespace(namespace).resource(service(80)).create();
        var options = ClusterSource.Options.of(EnumSet.of(Kind.SERVICE, Kind.POD))
                .inNamespace(namespace)
                .onNode("node-1");
        try (var source = ClusterSource.open(client, options, told::add)) {
            var first = await(_ -> true);
            assertThat(first.objects()).containsOnlyKeys(new ObjectKey(Kind.SERVICE, namespace, "cart"));
            assertThat(source.off()).isEmpty();
        }
    }

    private io.fabric8.kubernetes.api.model.Service service(int port) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withName("cart")
                .endMetadata()
                .withNewSpec()
                .addNewPort()
                .withPort(port)
                .endPort()
                .endSpec()
                .build();
    }

    private ObjectSet await(Predicate<ObjectSet> wanted) throws InterruptedException {
        var end = System.nanoTime() + PATIENCE.toNanos();
        for (var left = PATIENCE.toNanos(); left > 0; left = end - System.nanoTime()) {
            var now = told.poll(left, TimeUnit.NANOSECONDS);
            if (now != null && wanted.test(now)) {
                return now;
            }
        }
        return fail("did not come within " + PATIENCE);
    }
}
