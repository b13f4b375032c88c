package dev.culvert.e2e.kube.cluster;

import dev.culvert.kube.client.KubernetesClients;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The cluster that the environment names.
final class KubeCluster implements AutoCloseable {
    static final String SYSTEM = "istio-system";
    private static final Path ROOT = Path.of(System.getProperty("culvert.root"));
    private static final List<String> IMAGES = List.of(
            "ztunnel/target/ztunnel-image.tar",
            "istiod-lite/target/istiod-lite-image.tar",
            "waypoint/target/waypoint-image.tar",
            "cni-plugin/agent/target/culvert-cni-image.tar",
            "e2e-kube/target/mesh-echo-image.tar");
    private static final long EXEC_SECONDS = 60;

    private final Path kubeconfig = Path.of(System.getenv("CULVERT_KUBECONFIG"));
    private final KubernetesClient client;

    KubeCluster() throws IOException {
        client = KubernetesClients.open(kubeconfig, Map.of());
    }

    KubernetesClient client() {
        return client;
    }

    List<String> nodes() {
        return client.nodes().list().getItems().stream()
                .map(node -> node.getMetadata().getName())
                .sorted()
                .toList();
    }

    String address(String node) {
        return client.nodes().withName(node).get().getStatus().getAddresses().stream()
                .filter(address -> address.getType().equals("InternalIP"))
                .findFirst()
                .orElseThrow()
                .getAddress();
    }

    void loadImages() throws Exception {
        var archives = IMAGES.stream().map(image -> ROOT.resolve(image).toString());
        Commands.run(Commands.configured("CULVERT_KUBE_LOAD", archives.toArray(String[]::new)))
                .succeeded();
    }

    /// The `culvert` of the build.
    Commands.Result culvert(String... arguments) throws Exception {
        var command = new ArrayList<>(
                List.of(ROOT.resolve("cli/target/dist/bin/culvert").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--kubeconfig", kubeconfig.toString()));
        return Commands.run(command);
    }

    /// Runs a shell's words as root on a node.
    String onNode(String node, String words) throws Exception {
        return Commands.run(Commands.configured("CULVERT_KUBE_NODE", node, "sh", "-c", words))
                .succeeded();
    }

    /// The documents of a text.
    List<GenericKubernetesResource> objects(String yaml) {
        return client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).items().stream()
                .map(GenericKubernetesResource.class::cast)
                .toList();
    }

    /// Documents of any kinds, by server-side apply; again for a while, since a kind may be new.
    void apply(String yaml) throws InterruptedException {
        for (var object : objects(yaml)) {
            Await.until(
                    "applied: " + object.getKind() + " " + object.getMetadata().getName(), () -> {
                        of(object).forceConflicts().serverSideApply();
                        return true;
                    });
        }
    }

    void delete(GenericKubernetesResource object) {
        of(object).withGracePeriod(0).delete();
    }

    private Resource<GenericKubernetesResource> of(GenericKubernetesResource object) {
        var kind = client.genericKubernetesResources(context(object));
        var home = object.getMetadata().getNamespace();
        return home == null ? kind.resource(object) : kind.inNamespace(home).resource(object);
    }

    /// Why the API server would not take a document; empty if it would. Nothing is changed.
    String refusal(String yaml) {
        try {
            of(objects(yaml).getFirst()).dryRun().forceConflicts().serverSideApply();
            return "";
        } catch (KubernetesClientException refused) {
            return String.valueOf(refused.getMessage());
        }
    }

    /// What the API server warns of when it takes a document. Nothing is changed.
    List<String> warnings(String yaml) throws Exception {
        var object = objects(yaml).getFirst();
        var path = "apis/%s/namespaces/%s/%s/%s?dryRun=All&force=true&fieldManager=corpus"
                .formatted(
                        object.getApiVersion(),
                        object.getMetadata().getNamespace(),
                        context(object).getPlural(),
                        object.getMetadata().getName());
        var http = client.getHttpClient();
        var request = http.newHttpRequestBuilder()
                .uri(client.getMasterUrl() + path)
                .method(
                        "PATCH",
                        "application/apply-patch+yaml",
                        client.getKubernetesSerialization().asJson(object))
                .build();
        var answer = http.sendAsync(request, String.class).get(EXEC_SECONDS, TimeUnit.SECONDS);
        if (!answer.isSuccessful()) {
            throw new AssertionError(answer.code() + ": " + answer.body());
        }
        return answer.headers("Warning");
    }

    interface Steps {
        void run() throws Exception;
    }

    /// While the API server asks no controller, as if there were none.
    void unasked(Steps steps) throws Exception {
        var all = client.admissionRegistration().v1().validatingWebhookConfigurations();
        var ours = all.withName("culvert-" + SYSTEM + "-validator").get();
        all.resource(ours).delete();
        try {
            steps.run();
        } finally {
            var metadata = new ObjectMetaBuilder()
                    .withName(ours.getMetadata().getName())
                    .withLabels(ours.getMetadata().getLabels())
                    .build();
            all.resource(new ValidatingWebhookConfigurationBuilder(ours)
                            .withMetadata(metadata)
                            .build())
                    .create();
        }
    }

    /// An object of the mesh itself, of any kind.
    Resource<GenericKubernetesResource> ofSystem(String apiVersion, String kind, String name) {
        return client.genericKubernetesResources(context(apiVersion, kind, true))
                .inNamespace(SYSTEM)
                .withName(name);
    }

    private static ResourceDefinitionContext context(GenericKubernetesResource object) {
        return context(
                object.getApiVersion(), object.getKind(), object.getMetadata().getNamespace() != null);
    }

    private static ResourceDefinitionContext context(String version, String kind, boolean isNamespaced) {
        var group = version.contains("/") ? version.substring(0, version.indexOf('/')) : null;
        var name = kind.toLowerCase(Locale.ROOT);
        return new ResourceDefinitionContext.Builder()
                .withGroup(group)
                .withVersion(version.substring(version.indexOf('/') + 1))
                .withKind(kind)
                .withPlural(
                        name.endsWith("y") && !name.endsWith("ay")
                                ? name.substring(0, name.length() - 1) + "ies"
                                : name + (name.endsWith("s") ? "es" : "s"))
                .withNamespaced(isNamespaced)
                .build();
    }

    Pod pod(String namespace, String name) {
        var pod = client.pods().inNamespace(namespace).withName(name).get();
        if (pod == null) {
            throw new AssertionError("no pod " + namespace + "/" + name);
        }
        return pod;
    }

    void awaitReady(String namespace, String... names) throws InterruptedException {
        for (var name : names) {
            Await.until(namespace + "/" + name + " is ready", () -> Readiness.isPodReady(pod(namespace, name)));
        }
    }

    /// The state of capture that the agent publishes; empty for none.
    String redirection(String namespace, String name) {
        return pod(namespace, name).getMetadata().getAnnotations() == null
                ? ""
                : pod(namespace, name).getMetadata().getAnnotations().getOrDefault("ambient.istio.io/redirection", "");
    }

    /// The status of a condition: `True`, `False`; empty if there is none.
    String condition(String kind, String namespace, String name, String type) {
        var status = conditionOf(kind, namespace, name, type).get("status");
        return status == null ? "" : status.toString();
    }

    /// Reason and message of a condition.
    String told(String kind, String namespace, String name, String type) {
        var condition = conditionOf(kind, namespace, name, type);
        return condition.get("reason") + ": " + condition.get("message");
    }

    private Map<?, ?> conditionOf(String kind, String namespace, String name, String type) {
        var version =
                switch (kind) {
                    case "AuthorizationPolicy", "RequestAuthentication" -> "security.istio.io/v1";
                    case "VirtualService", "DestinationRule" -> "networking.istio.io/v1";
                    case "Service" -> "v1";
                    default -> "gateway.networking.k8s.io/v1";
                };
        var all = status(version, kind, namespace, name).get("conditions") instanceof List<?> list ? list : List.of();
        return all.stream()
                .filter(one -> one instanceof Map<?, ?> map && type.equals(map.get("type")))
                .<Map<?, ?>>map(one -> (Map<?, ?>) one)
                .findFirst()
                .orElse(Map.of());
    }

    /// Addresses that were chosen for the hosts of a ServiceEntry.
    List<String> allocated(String namespace, String name) {
        return status("networking.istio.io/v1", "ServiceEntry", namespace, name).get("addresses")
                        instanceof List<?> list
                ? list.stream()
                        .map(one -> String.valueOf(((Map<?, ?>) one).get("value")))
                        .toList()
                : List.of();
    }

    private Map<?, ?> status(String version, String kind, String namespace, String name) {
        var object = client.genericKubernetesResources(context(version, kind, true))
                .inNamespace(namespace)
                .withName(name)
                .get();
        return object != null && object.getAdditionalProperties().get("status") instanceof Map<?, ?> map
                ? map
                : Map.of();
    }

    /// Runs a command in a pod.
    Commands.Result exec(String namespace, String pod, String... command) throws Exception {
        var output = new ByteArrayOutputStream();
        try (var running = client.pods()
                .inNamespace(namespace)
                .withName(pod)
                .writingOutput(output)
                .writingError(output)
                .exec(command)) {
            var code = running.exitCode().get(EXEC_SECONDS, TimeUnit.SECONDS);
            return new Commands.Result(code, output.toString(StandardCharsets.UTF_8));
        } catch (KubernetesClientException e) {
            throw new IOException(namespace + "/" + pod + ": " + e.getMessage(), e);
        }
    }

    /// What a pod fetches by HTTP within five seconds.
    Commands.Result fetch(String namespace, String pod, String url) throws Exception {
        return exec(namespace, pod, "timeout", "5", "wget", "-q", "-O", "-", url);
    }

    /// The pod of a DaemonSet of the mesh on a node.
    Pod systemPod(String app, String node) {
        return client.pods().inNamespace(SYSTEM).withLabel("app", app).list().getItems().stream()
                .filter(pod -> node.equals(pod.getSpec().getNodeName()))
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no pod of " + app + " on " + node));
    }

    String log(Pod pod) {
        return client.pods()
                .inNamespace(pod.getMetadata().getNamespace())
                .withName(pod.getMetadata().getName())
                .getLog();
    }

    @Override
    public void close() {
        client.close();
    }
}
