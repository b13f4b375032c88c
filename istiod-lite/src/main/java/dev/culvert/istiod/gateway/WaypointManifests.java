package dev.culvert.istiod.gateway;

import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.istiod.ambient.ServiceTranslation;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.kube.object.Gateway;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What runs for one Gateway, a waypoint or one at the edge of the mesh. Pure. Everything has one name and belongs to
/// the Gateway, so it goes with it.
public record WaypointManifests(Settings settings) {
    static final String MANAGED = "gateway.istio.io/managed";
    static final String MANAGED_BY = "culvert.dev-mesh-controller";
    private static final String GATEWAY_API = "gateway.networking.k8s.io/";

    /// What `kubectl apply` wrote about the Gateway itself.
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

    private static final String SERVICE_TYPE = "networking.istio.io/service-type";
    private static final int STATUS_PORT = 15021;
    private static final int METRICS_PORT = 15020;
    private static final long TOKEN_SECONDS = 43_200;
    private static final long USER = 1337;

    /// Istio's name: parameters of its users name it, and so do their commands.
    private static final String CONTAINER = "istio-proxy";

    /// What a container that is started again begins with; it goes with the pod.
    private static final String KEPT = "/run/culvert";

    /// @param image of waypoints; empty: nothing is deployed
    /// @param server URL of the control plane
    public record Settings(
            String image,
            String server,
            String clusterId,
            String trustDomain,
            String clusterDomain,
            String network,
            AccessFormat accessLog) {}

    /// @param morePorts of clients, beside those of the Gateway's listeners; a change of them starts no pod again
    /// @param overlays what changes them, one after the other
    /// @throws IllegalArgumentException if one cannot be applied
    List<HasMetadata> of(Gateway gateway, List<Integer> morePorts, List<Overlay> overlays) {
        var all = new ArrayList<HasMetadata>();
        all.add(new ServiceAccountBuilder().withMetadata(metadata(gateway)).build());
        all.add(service(gateway, morePorts));
        all.add(deployment(gateway));
        if (overlays.stream().anyMatch(overlay -> overlay.changes(Overlay.AUTOSCALER))) {
            all.add(autoscaler(gateway));
        }
        if (overlays.stream().anyMatch(overlay -> overlay.changes(Overlay.BUDGET))) {
            all.add(budget(gateway));
        }
        for (var overlay : overlays) {
            all.replaceAll(overlay::applied);
        }
        return List.copyOf(all);
    }

    /// Of one pod, unless an overlay says more.
    static HorizontalPodAutoscaler autoscaler(Gateway gateway) {
        return new HorizontalPodAutoscalerBuilder()
                .withMetadata(metadata(gateway))
                .withNewSpec()
                .withNewScaleTargetRef("apps/v1", "Deployment", gateway.deployedName())
                .withMaxReplicas(1)
                .endSpec()
                .build();
    }

    static PodDisruptionBudget budget(Gateway gateway) {
        return new PodDisruptionBudgetBuilder()
                .withMetadata(metadata(gateway))
                .withNewSpec()
                .withNewSelector()
                .withMatchLabels(Map.of(Waypoints.GATEWAY_NAME, gateway.name()))
                .endSelector()
                .endSpec()
                .build();
    }

    private static ObjectMeta metadata(Gateway gateway) {
        return new ObjectMetaBuilder()
                .withName(gateway.deployedName())
                .withNamespace(gateway.namespace())
                .withLabels(labels(gateway))
                .withAnnotations(annotations(gateway))
                .addNewOwnerReference()
                .withApiVersion("gateway.networking.k8s.io/v1")
                .withKind("Gateway")
                .withName(gateway.name())
                .withUid(gateway.metadata().uid())
                .withController(true)
                .endOwnerReference()
                .build();
    }

    /// Ours win over those of the Gateway's infrastructure.
    private static Map<String, String> labels(Gateway gateway) {
        var labels = new TreeMap<>(gateway.infrastructure().labels());
        labels.keySet().removeIf(key -> key.startsWith(GATEWAY_API));
        labels.putAll(Map.of(
                Waypoints.GATEWAY_NAME,
                gateway.name(),
                Waypoints.GATEWAY_CLASS,
                gateway.className(),
                MANAGED,
                MANAGED_BY));
        return labels;
    }

    private static Map<String, String> annotations(Gateway gateway) {
        var annotations = new TreeMap<>(gateway.infrastructure().annotations());
        annotations.keySet().removeIf(key -> key.startsWith(GATEWAY_API) || key.equals(LAST_APPLIED));
        return annotations;
    }

    private static HasMetadata service(Gateway gateway, List<Integer> morePorts) {
        var shape = Shape.of(gateway, morePorts);
        var metadata = metadata(gateway);
        if (gateway.isWaypoint()) {
            metadata.getAnnotations().putIfAbsent(ServiceTranslation.DISTRIBUTION, "PreferClose");
        }
        return new ServiceBuilder()
                .withMetadata(metadata)
                .withNewSpec()
                .withType(gateway.metadata().annotation(SERVICE_TYPE).orElse(shape.serviceType()))
                .withIpFamilyPolicy("PreferDualStack")
                .withSelector(Map.of(Waypoints.GATEWAY_NAME, gateway.name()))
                .addNewPort()
                .withName("status-port")
                .withPort(STATUS_PORT)
                .withProtocol("TCP")
                .endPort()
                .addAllToPorts(shape.ports())
                .endSpec()
                .build();
    }

    private Deployment deployment(Gateway gateway) {
        var podAnnotations = annotations(gateway);
        podAnnotations.putAll(Map.of(
                "prometheus.io/path", "/stats/prometheus",
                "prometheus.io/port", String.valueOf(METRICS_PORT),
                "prometheus.io/scrape", "true"));
        var shape = Shape.of(gateway, List.of());
        var podLabels = labels(gateway);
        podLabels.putAll(shape.podLabels());
        podLabels.put("istio.io/dataplane-mode", "none");
        podLabels.put("sidecar.istio.io/inject", "false");
        podLabels.put("service.istio.io/canonical-name", gateway.deployedName());
        podLabels.put("service.istio.io/canonical-revision", "latest");
        return new DeploymentBuilder()
                .withMetadata(metadata(gateway))
                .withNewSpec()
                .withNewSelector()
                .withMatchLabels(Map.of(Waypoints.GATEWAY_NAME, gateway.name()))
                .endSelector()
                .withNewTemplate()
                .withNewMetadata()
                .withLabels(podLabels)
                .withAnnotations(podAnnotations)
                .endMetadata()
                .withNewSpec()
                .withServiceAccountName(gateway.deployedName())
                .withSecurityContext(shape.security())
                .withTerminationGracePeriodSeconds(30L)
                .withContainers(container(shape))
                .withVolumes(volumes())
                .endSpec()
                .endTemplate()
                .endSpec()
                .build();
    }

    private Container container(Shape shape) {
        return new ContainerBuilder()
                .withName(CONTAINER)
                .withImage(settings.image())
                .withImagePullPolicy("IfNotPresent")
                .withArgs("proxy")
                .withEnv(environment())
                .addAllToPorts(shape.containerPorts())
                .addNewPort()
                .withName("metrics")
                .withContainerPort(METRICS_PORT)
                .withProtocol("TCP")
                .endPort()
                .addNewPort()
                .withName("status-port")
                .withContainerPort(STATUS_PORT)
                .withProtocol("TCP")
                .endPort()
                .withStartupProbe(probe(1, 30).build())
                .withReadinessProbe(probe(5, 4).build())
                .withNewResources()
                .withRequests(Map.of("cpu", new Quantity("100m"), "memory", new Quantity("128Mi")))
                .withLimits(Map.of("cpu", new Quantity("2"), "memory", new Quantity("1Gi")))
                .endResources()
                .withNewSecurityContext()
                .withRunAsUser(USER)
                .withRunAsGroup(USER)
                .withRunAsNonRoot(true)
                .withReadOnlyRootFilesystem(true)
                .withAllowPrivilegeEscalation(false)
                .withNewCapabilities()
                .withDrop("ALL")
                .endCapabilities()
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext()
                .addNewVolumeMount()
                .withName("istio-token")
                .withMountPath("/var/run/secrets/tokens")
                .endVolumeMount()
                .addNewVolumeMount()
                .withName("istiod-ca-cert")
                .withMountPath("/var/run/secrets/istio")
                .endVolumeMount()
                .addNewVolumeMount()
                .withName("kept")
                .withMountPath(KEPT)
                .endVolumeMount()
                .addNewVolumeMount()
                .withName("tmp")
                .withMountPath("/tmp")
                .endVolumeMount()
                .build();
    }

    private static ProbeBuilder probe(int periodSeconds, int failures) {
        return new ProbeBuilder()
                .withNewHttpGet()
                .withPath("/healthz/ready")
                .withNewPort(STATUS_PORT)
                .endHttpGet()
                .withPeriodSeconds(periodSeconds)
                .withTimeoutSeconds(1)
                .withFailureThreshold(failures);
    }

    private List<EnvVar> environment() {
        return List.of(
                field("POD_NAME", "metadata.name"),
                field("POD_NAMESPACE", "metadata.namespace"),
                field("NODE_NAME", "spec.nodeName"),
                field("INSTANCE_IP", "status.podIP"),
                field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
                value("CULVERT_STATE_DIR", KEPT + "/state"),
                value("CULVERT_KEYS_DIR", KEPT + "/keys"),
                value("XDS_ADDRESS", settings.server()),
                value("XDS_ROOT_CA", "/var/run/secrets/istio/root-cert.pem"),
                value("AUTH_TOKEN", "/var/run/secrets/tokens/istio-token"),
                value("CULVERT_ACCESS_LOG", settings.accessLog().text()),
                value("CLUSTER_ID", settings.clusterId()),
                value("CLUSTER_DOMAIN", settings.clusterDomain()),
                value("TRUST_DOMAIN", settings.trustDomain()),
                value("NETWORK", settings.network()));
    }

    private static EnvVar field(String name, String path) {
        return new EnvVarBuilder()
                .withName(name)
                .withNewValueFrom()
                .withNewFieldRef()
                .withFieldPath(path)
                .endFieldRef()
                .endValueFrom()
                .build();
    }

    private static EnvVar value(String name, String value) {
        return new EnvVarBuilder().withName(name).withValue(value).build();
    }

    private static List<Volume> volumes() {
        return List.of(
                new VolumeBuilder()
                        .withName("istio-token")
                        .withNewProjected()
                        .addNewSource()
                        .withNewServiceAccountToken()
                        .withAudience("istio-ca")
                        .withExpirationSeconds(TOKEN_SECONDS)
                        .withPath("istio-token")
                        .endServiceAccountToken()
                        .endSource()
                        .endProjected()
                        .build(),
                new VolumeBuilder()
                        .withName("istiod-ca-cert")
                        .withNewConfigMap()
                        .withName("istio-ca-root-cert")
                        .endConfigMap()
                        .build(),
                new VolumeBuilder()
                        .withName("kept")
                        .withNewEmptyDir()
                        .withMedium("Memory")
                        .withSizeLimit(new Quantity("64Mi"))
                        .endEmptyDir()
                        .build(),
                new VolumeBuilder()
                        .withName("tmp")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build());
    }
}
