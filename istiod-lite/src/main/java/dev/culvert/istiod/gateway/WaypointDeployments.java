package dev.culvert.istiod.gateway;

import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.kube.Apply;
import dev.culvert.istiod.kube.Leader;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.istiod.kube.Present;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.GatewayClass;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Service;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GatewayClassBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes our GatewayClasses where nobody has them, and runs each of their Gateways. What belongs to a Gateway goes with
/// it, by the cluster's garbage collection. An object of that name that we do not manage is left alone.
public final class WaypointDeployments implements Leader.Writer<Outcome>, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("gateway");

    private final KubernetesClient client;
    private final WaypointManifests manifests;
    private final BooleanSupplier served;
    private final Present<Deployment> present;
    private final Map<ObjectKey, String> applied = new HashMap<>();

    /// @param served whether the cluster has the Gateway API
    /// @param changed told when a Deployment of ours is different
    public WaypointDeployments(
            KubernetesClient client, WaypointManifests.Settings settings, BooleanSupplier served, Runnable changed) {
        this.client = client;
        this.served = served;
        this.manifests = new WaypointManifests(settings);
        this.present = new Present<>(
                "Deployments of waypoints",
                client.apps()
                        .deployments()
                        .inAnyNamespace()
                        .withLabel(WaypointManifests.MANAGED, WaypointManifests.MANAGED_BY),
                changed);
    }

    public void start() {
        present.start();
    }

    @Override
    public void begin() {
        applied.clear();
    }

    @Override
    public void write(Outcome now) {
        present.requireListed();
        makeClasses(now.objects());
        if (manifests.settings().image().isEmpty()) {
            return;
        }
        var failed = new ArrayList<String>();
        applied.keySet().removeIf(key -> !now.objects().objects().containsKey(key));
        for (var gateway : now.objects().all(Gateway.class)) {
            if (gateway.isWaypoint()
                    && Waypoints.isOurs(gateway, now.objects())
                    && !gateway.metadata().deleted()) {
                try {
                    run(gateway, now.objects());
                } catch (RuntimeException refused) {
                    failed.add(gateway.key() + ": " + refused.getMessage());
                }
            }
        }
        if (!failed.isEmpty()) {
            throw new IllegalStateException(String.join("; ", failed));
        }
    }

    private void makeClasses(ObjectSet objects) {
        var known =
                objects.all(GatewayClass.class).stream().map(GatewayClass::name).toList();
        for (var name : Gateway.WAYPOINT_CLASSES) {
            if (served.getAsBoolean() && !known.contains(name)) {
                Apply.object(
                        client,
                        new GatewayClassBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .withNewSpec()
                                .withControllerName(Waypoints.CONTROLLER)
                                .withDescription("A waypoint of Culvert")
                                .endSpec()
                                .build());
                LOG.info("GatewayClass {} made", name);
            }
        }
    }

    private void run(Gateway gateway, ObjectSet objects) {
        var wanted = manifests.of(gateway);
        var text = client.getKubernetesSerialization().asJson(wanted);
        if (text.equals(applied.get(gateway.key())) && isThere(gateway, objects)) {
            return;
        }
        requireOurs(gateway, wanted);
        for (HasMetadata one : wanted) {
            Apply.object(client, one);
        }
        applied.put(gateway.key(), text);
        LOG.info("{} runs", gateway.key());
    }

    private boolean isThere(Gateway gateway, ObjectSet objects) {
        return deployment(gateway).isPresent()
                && objects.find(Service.class, Kind.SERVICE, gateway.namespace(), gateway.name())
                        .isPresent();
    }

    private Optional<Deployment> deployment(Gateway gateway) {
        return present.find(gateway.namespace(), gateway.name());
    }

    /// Whether a pod of the Gateway is ready. Safe for any thread.
    public boolean isReady(Gateway gateway) {
        return deployment(gateway)
                .map(Deployment::getStatus)
                .map(DeploymentStatus::getReadyReplicas)
                .filter(ready -> ready > 0)
                .isPresent();
    }

    private void requireOurs(Gateway gateway, List<HasMetadata> wanted) {
        for (var one : wanted) {
            var there = client.resource(one).get();
            if (there != null && !isManaged(there)) {
                throw new IllegalStateException("there is a " + one.getKind() + " " + gateway.namespace() + "/"
                        + gateway.name() + " without the label " + WaypointManifests.MANAGED + ": "
                        + WaypointManifests.MANAGED_BY + "; rename it, or the Gateway");
            }
        }
    }

    private static boolean isManaged(HasMetadata there) {
        return Optional.ofNullable(there.getMetadata().getLabels())
                .map(labels -> labels.get(WaypointManifests.MANAGED))
                .filter(WaypointManifests.MANAGED_BY::equals)
                .isPresent();
    }

    @Override
    public void close() {
        present.close();
    }
}
