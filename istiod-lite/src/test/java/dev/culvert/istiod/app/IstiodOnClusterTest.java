package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.log.LogFilter;
import dev.culvert.daemon.log.LogFormat;
import dev.culvert.daemon.log.LogSetup;
import dev.culvert.hbone.tls.PeerIdentities;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.kube.AuthoritySecrets;
import dev.culvert.istiod.kube.Leader;
import dev.culvert.istiod.kube.RootConfigMaps;
import dev.culvert.kube.client.KubernetesClients;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.CertificateClient;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.proxy.xds.XdsMetrics;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The controller on a real API server, in a system namespace of its own, and its clients with real tokens. Pods need
/// not run: it is enough that they are placed on a node.
@Timeout(180)
class IstiodOnClusterTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String suffix = UUID.randomUUID().toString().substring(0, 8);
    private final String system = "istiod-" + suffix;
    private final String shop = "shop-" + suffix;

    @TempDir
    private Path directory;

    private KubernetesClient client;
    private LogSetup log;
    private String node = "";
    private String otherNode = "";

    @BeforeEach
    void prepare() throws IOException {
        client = KubernetesClients.open(Path.of(System.getenv("CULVERT_KUBECONFIG")), Map.of());
        log = LogSetup.install(LogFormat.PLAIN, LogFilter.parse("warn"), OutputStream.nullOutputStream());
        var nodes = client.nodes().list().getItems();
        node = nodes.getFirst().getMetadata().getName();
        otherNode = nodes.getLast().getMetadata().getName();
        for (var namespace : new String[] {system, shop}) {
            client.namespaces()
                    .resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(namespace)
                            .endMetadata()
                            .build())
                    .create();
        }
    }

    @AfterEach
    void cleanUp() {
        client.namespaces().withName(system).delete();
        client.namespaces().withName(shop).delete();
        client.close();
        log.close();
    }

    private record Running(IstiodProcess process, int port) implements AutoCloseable {
        @Override
        public void close() {
            process.close();
        }
    }

    private Running istiod(String name) throws Exception {
        return istiod(name, "");
    }

    private Running istiod(String name, String revision) throws Exception {
        var settings = IstiodSettings.from(new Env(
                Map.of("CULVERT_GRPC_PORT", "0", "POD_NAMESPACE", system, "POD_NAME", name, "REVISION", revision)));
        var own = KubernetesClients.open(Path.of(System.getenv("CULVERT_KUBECONFIG")), Map.of());
        var process = new IstiodProcess(settings, new KubernetesPlatform(own, settings), log.levels());
        return new Running(process, process.serve(IstiodProcess.Listen.NOWHERE));
    }

    private Pod pod(String namespace, String account, String onNode) {
        client.serviceAccounts()
                .inNamespace(namespace)
                .resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withName(account)
                        .endMetadata()
                        .build())
                .createOr(existing -> existing.update());
        return client.pods()
                .inNamespace(namespace)
                .resource(new PodBuilder()
                        .withNewMetadata()
                        .withName(account + "-" + onNode)
                        .endMetadata()
                        .withNewSpec()
                        .withNodeName(onNode)
                        .withServiceAccountName(account)
                        .withTerminationGracePeriodSeconds(0L)
                        .addNewContainer()
                        .withName("c")
                        .withImage("kube-kit/pause:1")
                        .withImagePullPolicy("IfNotPresent")
                        .endContainer()
                        .endSpec()
                        .build())
                .create();
    }

    @Test
    void analysisLaysFilesOverTheCluster() throws Exception {
        var file = Files.writeString(directory.resolve("entry.yaml"), """
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: pier, namespace: %s}
                spec: {hosts: [kubernetes.default.svc.cluster.local, taken.%1$s.svc.cluster.local]}
                """.formatted(shop));
        client.services()
                .inNamespace(shop)
                .resource(new ServiceBuilder()
                        .withNewMetadata()
                        .withName("taken")
                        .endMetadata()
                        .withNewSpec()
                        .addNewPort()
                        .withPort(80)
                        .endPort()
                        .endSpec()
                        .build())
                .create();
        var out = new StringWriter();
        var code = IstiodLite.commandLine()
                .setOut(new PrintWriter(out, true))
                .execute("analyze", "--live", "--kubeconfig", System.getenv("CULVERT_KUBECONFIG"), file.toString());
        assertThat(code).as(out.toString()).isZero();
        assertThat(out.toString())
                .contains("Warning (ServiceEntry " + shop + "/pier, " + file + ":1) host taken." + shop)
                .doesNotContain("host kubernetes.default");
    }

    /// As the kubelet gets it for a projected volume.
    private Path token(Pod pod, String audience) throws IOException {
        var account = pod.getSpec().getServiceAccountName();
        TokenRequest request = new TokenRequestBuilder()
                .withNewSpec()
                .withAudiences(audience)
                .withExpirationSeconds(3600L)
                .withNewBoundObjectRef()
                .withApiVersion("v1")
                .withKind("Pod")
                .withName(pod.getMetadata().getName())
                .withUid(pod.getMetadata().getUid())
                .endBoundObjectRef()
                .endSpec()
                .build();
        var answer = client.serviceAccounts()
                .inNamespace(pod.getMetadata().getNamespace())
                .withName(account)
                .tokenRequest(request);
        return Files.writeString(
                directory.resolve(account + "-" + audience), answer.getStatus().getToken());
    }

    private ControlPlane plane(Running istiod, Path token) throws IOException {
        var map = await(() -> Optional.ofNullable(configMap(shop)));
        var root = Files.writeString(
                directory.resolve("root-cert.pem"), map.getData().get("root-cert.pem"));
        return new ControlPlane(
                URI.create("https://127.0.0.1:" + istiod.port()),
                root.toString(),
                token.toString(),
                "istiod." + system + ".svc",
                "Kubernetes",
                Map.of());
    }

    private ConfigMap configMap(String namespace) {
        return client.configMaps()
                .inNamespace(namespace)
                .withName(RootConfigMaps.NAME)
                .get();
    }

    private static <T> T await(Supplier<Optional<T>> wanted) {
        var end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            var found = wanted.get();
            if (found.isPresent()) {
                return found.get();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        return fail("did not come within " + PATIENCE);
    }

    @Test
    void aNodeProxyGetsTheMeshAndTheIdentitiesOfItsNodeOnly() throws Exception {
        try (var istiod = istiod("istiod-a")) {
            var ztunnel = pod(system, "ztunnel", node);
            var cart = pod(shop, "cart", node);
            var uid = "Kubernetes//Pod/" + shop + "/" + cart.getMetadata().getName();
            var plane = plane(istiod, token(ztunnel, "istio-ca"));
            var mesh = new MeshState();
            var synced = new CountDownLatch(1);
            var id = new XdsClient.NodeId("ztunnel~1~ztunnel." + system + "~b", Map.of());
            try (var xds = new XdsClient(
                    plane,
                    id,
                    new MeshResources(mesh, null),
                    new XdsMetrics(new SimpleMeterRegistry()),
                    synced::countDown)) {
                xds.start();
                assertThat(synced.await(60, TimeUnit.SECONDS)).isTrue();
                var workload = await(() -> mesh.current().workload(uid));
                assertThat(workload.place().node()).isEqualTo(node);
            }
            var wanted = new SpiffeId("cluster.local", shop, "cart");
            try (var ca = new CertificateClient(plane, Duration.ofHours(1))) {
                assertThat(PeerIdentities.of(ca.fetch(wanted).leaf())).containsExactly(wanted);
                assertThatThrownBy(() -> ca.fetch(new SpiffeId("cluster.local", shop, "nobody")))
                        .hasMessageContaining("request impersonation authentication failure");
            }
            refusesOthers(istiod, cart, wanted);
        }
    }

    private void refusesOthers(Running istiod, Pod cart, SpiffeId wanted) throws Exception {
        var elsewhere = pod(system, "ztunnel", otherNode.equals(node) ? node : otherNode);
        try (var ca = new CertificateClient(plane(istiod, token(elsewhere, "istio-ca")), Duration.ofHours(1))) {
            assertThatThrownBy(() -> ca.fetch(wanted)).hasMessageContaining("impersonation authentication failure");
        }
        try (var ca = new CertificateClient(plane(istiod, token(cart, "other-audience")), Duration.ofHours(1))) {
            assertThatThrownBy(() -> ca.fetch(wanted)).hasMessageContaining("request authenticate failure");
        }
        try (var ca = new CertificateClient(plane(istiod, token(cart, "istio-ca")), Duration.ofHours(1), false)) {
            assertThat(PeerIdentities.of(ca.fetch(wanted).leaf())).containsExactly(wanted);
        }
    }

    @Test
    void replicasShareOneAuthorityAndOneOfThemWrites() throws Exception {
        try (var a = istiod("istiod-a")) {
            await(() -> Optional.ofNullable(configMap(shop)));
            try (var b = istiod("istiod-b")) {
                assertThat(client.secrets().inNamespace(system).list().getItems())
                        .filteredOn(secret -> "istio.io/ca-root".equals(secret.getType()))
                        .singleElement()
                        .satisfies(secret ->
                                assertThat(secret.getMetadata().getName()).isEqualTo(AuthoritySecrets.SELF_SIGNED));
                assertThat(holder()).isEqualTo("istiod-a");
                a.process().close();
                await(() -> Optional.of(holder()).filter("istiod-b"::equals));
                client.configMaps()
                        .inNamespace(shop)
                        .withName(RootConfigMaps.NAME)
                        .delete();
                assertThat(await(() -> Optional.ofNullable(configMap(shop))).getData())
                        .containsKey("root-cert.pem");
                assertThat(b.port()).isPositive();
            }
        }
    }

    @Test
    void aRootThatIsAboutToEndIsIssuedAnewWhileItServes() throws Exception {
        var old = CertificateAuthority.create(Clock.offset(Clock.systemUTC(), Duration.ofDays(-3300)));
        var oldRoot = CertificateAuthority.pem(old.certificate());
        client.secrets()
                .inNamespace(system)
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(AuthoritySecrets.SELF_SIGNED)
                        .endMetadata()
                        .withStringData(
                                Map.of("ca-cert.pem", oldRoot, "ca-key.pem", CertificateAuthority.pem(old.key())))
                        .build())
                .create();
        try (var istiod = istiod("istiod-a")) {
            var root = await(() -> Optional.ofNullable(configMap(shop))
                    .map(map -> map.getData().get("root-cert.pem"))
                    .filter(now -> !now.equals(oldRoot)));
            var kept = client.secrets()
                    .inNamespace(system)
                    .withName(AuthoritySecrets.SELF_SIGNED)
                    .get()
                    .getData();
            assertThat(new String(Base64.getDecoder().decode(kept.get("ca-cert.pem")), StandardCharsets.US_ASCII))
                    .isEqualTo(root);
            var cart = pod(shop, "cart", node);
            try (var ca = new CertificateClient(plane(istiod, token(cart, "istio-ca")), Duration.ofHours(1), false)) {
                var leaf = ca.fetch(new SpiffeId("cluster.local", shop, "cart")).leaf();
                leaf.verify(old.certificate().getPublicKey());
            }
        }
    }

    /// What the controller of a revision says of a Service shows that it takes it for its own.
    @Test
    void eachRevisionWritesToItsOwnNamespacesAndATagHandsOneOver() throws Exception {
        var service = new ServiceBuilder()
                .withNewMetadata()
                .withName("cart")
                .addToLabels("istio.io/use-waypoint", "nobody")
                .endMetadata()
                .withNewSpec()
                .addNewPort()
                .withPort(80)
                .endPort()
                .endSpec()
                .build();
        label(system, "blue-" + suffix);
        client.services().inNamespace(system).resource(service).create();
        client.services().inNamespace(shop).resource(service).create();
        var tag = new MutatingWebhookConfigurationBuilder()
                .withNewMetadata()
                .withName("tag-" + suffix)
                .addToLabels("istio.io/tag", "tag-" + suffix)
                .addToLabels("istio.io/rev", "blue-" + suffix)
                .endMetadata()
                .build();
        try (var blue = istiod("istiod-b", "blue-" + suffix)) {
            assertThat(blue.port()).isPositive();
            await(() -> Optional.of(isToldOf(system)).filter(told -> told));
            assertThat(holder("blue-" + suffix)).isEqualTo("istiod-b");
            assertThat(holder()).as("nobody stands for the default").isEmpty();
            assertThat(isToldOf(shop)).as("that is the default's").isFalse();

            label(shop, "tag-" + suffix);
            client.resource(tag).create();
            await(() -> Optional.of(isToldOf(shop)).filter(told -> told));
        } finally {
            client.resource(tag).delete();
        }
    }

    /// Kinds of the cluster's that come later are watched then.
    @Test
    void whatDoesNothingHereIsToldSoOnTheObject() throws Exception {
        try (var istiod = istiod("istiod-a")) {
            assertThat(istiod.port()).isPositive();
            client.resource("""
                    apiVersion: apiextensions.k8s.io/v1
                    kind: CustomResourceDefinition
                    metadata: {name: sidecars.networking.istio.io}
                    spec:
                      group: networking.istio.io
                      scope: Namespaced
                      names: {kind: Sidecar, listKind: SidecarList, plural: sidecars, singular: sidecar}
                      versions:
                        - name: v1
                          served: true
                          storage: true
                          subresources: {status: {}}
                          schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
                    """).forceConflicts().serverSideApply();
            var narrow = """
                    apiVersion: networking.istio.io/v1
                    kind: Sidecar
                    metadata: {name: narrow, namespace: %s}
                    spec: {egress: [{hosts: ["./*"]}]}
                    """.formatted(shop);
            var sidecar = await(() -> applied(narrow));
            var told = await(() -> Optional.ofNullable(
                    client.resource(sidecar).get().getAdditionalProperties().get("status")));
            assertThat(told.toString())
                    .contains("type=Accepted", "status=False", "has no effect: this mesh has no sidecars");
        }
    }

    /// Empty while the API server does not know the kind yet.
    private Optional<GenericKubernetesResource> applied(String yaml) {
        try {
            return Optional.of((GenericKubernetesResource) client.resource(yaml).serverSideApply());
        } catch (KubernetesClientException notYet) {
            return Optional.empty();
        }
    }

    private void label(String namespace, String revision) {
        client.namespaces()
                .withName(namespace)
                .edit(found -> new NamespaceBuilder(found)
                        .editMetadata()
                        .addToLabels("istio.io/rev", revision)
                        .endMetadata()
                        .build());
    }

    private boolean isToldOf(String namespace) {
        return client.services().inNamespace(namespace).withName("cart").get().getStatus().getConditions().stream()
                .anyMatch(condition -> condition.getType().equals("istio.io/WaypointBound"));
    }

    private String holder() {
        return holder("default");
    }

    private String holder(String revision) {
        var lease = client.leases()
                .inNamespace(system)
                .withName(Leader.lease(revision))
                .get();
        return lease == null
                ? ""
                : Optional.ofNullable(lease.getSpec().getHolderIdentity()).orElse("");
    }
}
