package dev.culvert.kube.client.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.culvert.kube.client.ClusterSource;
import dev.culvert.kube.client.KubernetesClients;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Service;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
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

    /// Of Secrets only those that hold certificates are kept, whatever their type; a password never is.
    @Test
    void istiosGatewaysAndSecretsWithCertificatesAreRead() throws Exception {
        client.resource("""
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: gateways.networking.istio.io}
                spec:
                  group: networking.istio.io
                  scope: Namespaced
                  names: {kind: Gateway, listKind: GatewayList, plural: gateways, singular: gateway}
                  versions:
                    - name: v1
                      served: true
                      storage: true
                      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
                """).forceConflicts().serverSideApply();
        secret("a-tls", "kubernetes.io/tls", Map.of("tls.crt", "c", "tls.key", "k"));
        secret("b-pair", "Opaque", Map.of("cert", "c", "key", "k"));
        secret("c-authority", "Opaque", Map.of("cacert", "c"));
        secret("d-password", "Opaque", Map.of("password", "k"));
        map("f-authority", "ca.crt");
        map("g-other", "log-level");
        secret("e-login", "kubernetes.io/basic-auth", Map.of("username", "c", "password", "k"));
        var options = ClusterSource.Options.of(EnumSet.of(Kind.SECRET, Kind.CONFIG_MAP, Kind.ISTIO_GATEWAY))
                .inNamespace(namespace);
        try (var _ = ClusterSource.open(client, options, told::add)) {
            var first = await(_ -> true);
            assertThat(first.problems()).isEmpty();
            assertThat(first.objects().keySet())
                    .extracting(ObjectKey::name)
                    .containsExactlyInAnyOrder("a-tls", "b-pair", "c-authority", "f-authority");
            client.resource("""
                    apiVersion: networking.istio.io/v1
                    kind: Gateway
                    metadata: {name: gate, namespace: %s}
                    spec: {servers: [{port: {number: 80, protocol: HTTP}, hosts: ["*"]}]}
                    """.formatted(namespace)).serverSideApply();
            await(now -> now.objects().containsKey(new ObjectKey(Kind.ISTIO_GATEWAY, namespace, "gate")));
            secret("b-pair", "Opaque", Map.of("password", "k"));
            await(now -> !now.objects().containsKey(new ObjectKey(Kind.SECRET, namespace, "b-pair")));
        }
    }

    private void map(String name, String entry) {
        client.configMaps()
                .inNamespace(namespace)
                .resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .withData(Map.of(entry, "c"))
                        .build())
                .create();
    }

    private void secret(String name, String type, Map<String, String> text) {
        client.secrets().inNamespace(namespace).withName(name).delete();
        client.secrets()
                .inNamespace(namespace)
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .withType(type)
                        .withStringData(text)
                        .build())
                .create();
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
