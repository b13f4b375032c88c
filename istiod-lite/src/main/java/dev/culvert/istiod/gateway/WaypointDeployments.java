package dev.culvert.istiod.gateway;

import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.istiod.kube.Apply;
import dev.culvert.istiod.kube.Leader;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.istiod.kube.Present;
import dev.culvert.istiod.status.Deployed;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes our GatewayClasses where nobody has them, and runs each of their Gateways that is of our revision. What
/// belongs to a Gateway goes with it, by the cluster's garbage collection. An object of that name that we do not
/// manage is left alone.
public final class WaypointDeployments implements Leader.Writer<Outcome>, Deployed, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("gateway");

    private final KubernetesClient client;
    private final WaypointManifests manifests;
    private final BooleanSupplier served;
    private final Present<Deployment> present;
    private final Parameters parameters;
    private final Runnable changed;
    private final Map<ObjectKey, String> applied = new HashMap<>();
    private final Map<ObjectKey, String> problems = new ConcurrentHashMap<>();

    /// @param served whether the cluster has the Gateway API
    /// @param namespace the controller's
    /// @param changed told when a Deployment of ours or what it is made from is different
    public WaypointDeployments(
            KubernetesClient client,
            WaypointManifests.Settings settings,
            String namespace,
            BooleanSupplier served,
            Runnable changed) {
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
        this.parameters = new Parameters(client, namespace, changed);
        this.changed = changed;
    }

    public void start() {
        present.start();
        parameters.start();
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
        var ours = now.objects().all(Gateway.class).stream()
                .filter(gateway -> (gateway.isWaypoint() || gateway.isIngress())
                        && Waypoints.isOurs(gateway, now.objects())
                        && now.revisions().owns(gateway)
                        && !gateway.metadata().deleted())
                .toList();
        var keys = ours.stream().map(Gateway::key).collect(Collectors.toSet());
        applied.keySet().retainAll(keys); // what another revision has had since is applied anew
        problems.keySet().retainAll(keys);
        parameters.retain(ours);
        for (var gateway : ours) {
            try {
                run(gateway, now.objects());
                problem(gateway, Optional.empty());
            } catch (IllegalArgumentException wrong) {
                problem(gateway, Optional.of(String.valueOf(wrong.getMessage())));
            } catch (RuntimeException refused) {
                failed.add(gateway.key() + ": " + refused.getMessage());
            }
        }
        if (!failed.isEmpty()) {
            throw new IllegalStateException(String.join("; ", failed));
        }
    }

    private void makeClasses(ObjectSet objects) {
        var known =
                objects.all(GatewayClass.class).stream().map(GatewayClass::name).toList();
        makeClasses(known, Gateway.WAYPOINT_CLASSES, "A waypoint of Culvert");
        makeClasses(known, Gateway.INGRESS_CLASSES, "A gateway of Culvert at the edge of the mesh");
    }

    private void makeClasses(List<String> known, Set<String> names, String description) {
        for (var name : names) {
            if (served.getAsBoolean() && !known.contains(name)) {
                Apply.object(
                        client,
                        new GatewayClassBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .withNewSpec()
                                .withControllerName(Waypoints.CONTROLLER)
                                .withDescription(description)
                                .endSpec()
                                .build());
                LOG.info("GatewayClass {} made", name);
            }
        }
    }

    /// What its author wrote cannot be done: nothing of it is, and what runs goes on.
    private void problem(Gateway gateway, Optional<String> now) {
        var before = Optional.ofNullable(
                now.isPresent() ? problems.put(gateway.key(), now.get()) : problems.remove(gateway.key()));
        if (!before.equals(now)) {
            now.ifPresent(why -> LOG.warn("{} is left as it is: {}", gateway.key(), why));
            changed.run();
        }
    }

    @Override
    public Optional<String> problem(Gateway gateway) {
        return Optional.ofNullable(problems.get(gateway.key()));
    }

    private void run(Gateway gateway, ObjectSet objects) {
        var wanted = manifests.of(gateway, EdgePods.morePorts(gateway, objects), parameters.of(gateway));
        var text = client.getKubernetesSerialization().asJson(wanted);
        if (text.equals(applied.get(gateway.key())) && isThere(gateway, objects)) {
            return;
        }
        requireOurs(gateway, wanted);
        for (HasMetadata one : wanted) {
            Apply.object(client, one);
        }
        for (var optional : List.of(WaypointManifests.autoscaler(gateway), WaypointManifests.budget(gateway))) {
            if (wanted.stream().noneMatch(one -> one.getKind().equals(optional.getKind()))) {
                removed(optional);
            }
        }
        applied.put(gateway.key(), text);
        LOG.info("{} runs", gateway.key());
    }

    private boolean isThere(Gateway gateway, ObjectSet objects) {
        return deployment(gateway).isPresent()
                && objects.find(Service.class, Kind.SERVICE, gateway.namespace(), gateway.deployedName())
                        .isPresent();
    }

    private Optional<Deployment> deployment(Gateway gateway) {
        return present.find(gateway.namespace(), gateway.deployedName());
    }

    @Override
    public boolean isReady(Gateway gateway) {
        return deployment(gateway)
                .map(Deployment::getStatus)
                .map(DeploymentStatus::getReadyReplicas)
                .filter(ready -> ready > 0)
                .isPresent();
    }

    private void removed(HasMetadata optional) {
        var there = client.resource(optional).get();
        if (there != null && isManaged(there)) {
            client.resource(there).delete();
            LOG.info(
                    "{} {} is asked for no longer",
                    there.getKind(),
                    there.getMetadata().getName());
        }
    }

    private void requireOurs(Gateway gateway, List<HasMetadata> wanted) {
        for (var one : wanted) {
            var there = client.resource(one).get();
            if (there != null && !isManaged(there)) {
                throw new IllegalStateException("there is a " + one.getKind() + " " + gateway.namespace() + "/"
                        + gateway.deployedName() + " without the label " + WaypointManifests.MANAGED + ": "
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
        parameters.close();
    }
}
