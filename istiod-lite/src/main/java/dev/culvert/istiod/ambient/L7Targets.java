package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.AuthorizationPolicy.Target;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What policies with `targetRefs` are bound to.
public final class L7Targets {
    private static final Set<String> CLASSES = Set.of("istio-waypoint", "culvert-waypoint", "istio", "culvert");
    private static final String GATEWAY_API = "gateway.networking.k8s.io";

    private L7Targets() {}

    /// The policies that are for a Service or a host of a ServiceEntry, whether or not its waypoint is there.
    public static List<AuthorizationPolicy> governing(
            MeshService service, Waypoints.Binding binding, ObjectSet objects, TranslationSettings settings) {
        return objects.all(AuthorizationPolicy.class).stream()
                .filter(policy -> policy.targetRefs().stream()
                        .anyMatch(target ->
                                service.isTarget(policy, target) || isGateway(policy, target, binding, settings)))
                .toList();
    }

    /// Whether one of them decides about its calls: then nobody may reach it but by its waypoint.
    public static boolean isGoverned(
            MeshService service, Waypoints.Binding binding, ObjectSet objects, TranslationSettings settings) {
        return governing(service, binding, objects, settings).stream().anyMatch(L7Targets::decides);
    }

    /// Whether it allows or refuses anything: an audit and a dry run only tell.
    static boolean decides(AuthorizationPolicy policy) {
        return !policy.dryRun() && policy.action() != AuthorizationPolicy.Action.AUDIT;
    }

    /// How tokens of calls of a Service are checked.
    public static List<RequestAuthentication> tokens(
            MeshService service, Waypoints.Binding binding, ObjectSet objects, TranslationSettings settings) {
        return objects.all(RequestAuthentication.class).stream()
                .filter(one -> one.targetRefs().stream()
                        .anyMatch(target -> service.isTarget(one, target) || isGateway(one, target, binding, settings)))
                .toList();
    }

    /// How tokens of calls of pods' own addresses are checked.
    public static List<RequestAuthentication> tokens(
            Waypoints.Binding binding, ObjectSet objects, TranslationSettings settings) {
        return objects.all(RequestAuthentication.class).stream()
                .filter(one -> one.targetRefs().stream().anyMatch(target -> isGateway(one, target, binding, settings)))
                .toList();
    }

    /// The policies that are for a Gateway's whole traffic.
    public static List<AuthorizationPolicy> ofGateway(
            Waypoints.Binding binding, ObjectSet objects, TranslationSettings settings) {
        if (binding.wanted().isEmpty()) {
            return List.of();
        }
        return objects.all(AuthorizationPolicy.class).stream()
                .filter(policy ->
                        policy.targetRefs().stream().anyMatch(target -> isGateway(policy, target, binding, settings)))
                .toList();
    }

    /// The policies of a gateway at the edge: those bound to it or to its class, and, as no node proxy stands before
    /// its pods, those that find them by their labels.
    /// @param namespace of its pods
    /// @param gateway of the Gateway API that they run for, if they do
    public static List<AuthorizationPolicy> ofEdge(
            String namespace,
            Optional<Gateway> gateway,
            Map<String, String> podLabels,
            ObjectSet objects,
            TranslationSettings settings) {
        return objects.all(AuthorizationPolicy.class).stream()
                .filter(policy -> policy.targetRefs().isEmpty()
                        ? List.of(namespace, settings.rootNamespace()).contains(policy.namespace())
                                && podLabels
                                        .entrySet()
                                        .containsAll(policy.selector().entrySet())
                        : gateway.filter(own -> policy.targetRefs().stream()
                                        .anyMatch(target -> isEdge(policy, target, own, settings)))
                                .isPresent())
                .toList();
    }

    /// How tokens are checked at the edge.
    public static List<RequestAuthentication> tokensOfEdge(
            Gateway gateway, ObjectSet objects, TranslationSettings settings) {
        return objects.all(RequestAuthentication.class).stream()
                .filter(one -> one.targetRefs().stream().anyMatch(target -> isEdge(one, target, gateway, settings)))
                .toList();
    }

    /// Whether an object is for a Service or a host of a ServiceEntry.
    public static boolean meansService(KubeObject object, List<Target> targets, MeshService service) {
        return targets.stream().anyMatch(target -> service.isTarget(object, target));
    }

    /// Whether an object is for the whole traffic of a waypoint.
    public static boolean meansGateway(
            KubeObject object, List<Target> targets, Waypoints.Binding binding, TranslationSettings settings) {
        return targets.stream().anyMatch(target -> isGateway(object, target, binding, settings));
    }

    /// Whether an object is for a gateway at the edge.
    public static boolean meansEdge(
            KubeObject object, List<Target> targets, Gateway gateway, TranslationSettings settings) {
        return targets.stream().anyMatch(target -> isEdge(object, target, gateway, settings));
    }

    private static boolean isEdge(KubeObject policy, Target target, Gateway gateway, TranslationSettings settings) {
        if (!target.group().equals(GATEWAY_API)) {
            return false;
        }
        return switch (target.kind()) {
            case "Gateway" ->
                policy.namespace().equals(gateway.namespace()) && target.name().equals(gateway.name());
            case "GatewayClass" ->
                policy.namespace().equals(settings.rootNamespace())
                        && target.name().equals(gateway.className());
            default -> false;
        };
    }

    private static boolean isGateway(
            KubeObject policy, Target target, Waypoints.Binding binding, TranslationSettings settings) {
        if (!target.group().equals(GATEWAY_API) || binding.wanted().isEmpty()) {
            return false;
        }
        return switch (target.kind()) {
            case "Gateway" -> binding.wanted().equals(policy.namespace() + "/" + target.name());
            case "GatewayClass" ->
                policy.namespace().equals(settings.rootNamespace())
                        && Gateway.WAYPOINT_CLASSES.contains(target.name())
                        && binding.waypoint()
                                .map(waypoint -> waypoint.gateway().className().equals(target.name()))
                                .orElse(true);
            default -> false;
        };
    }

    /// Whether it names something that there is and that a policy can be bound to.
    public static boolean exists(KubeObject policy, Target target, ObjectSet objects, String rootNamespace) {
        return switch (target.kind()) {
            case "Service" ->
                target.group().isEmpty()
                        && objects.find(Service.class, Kind.SERVICE, policy.namespace(), target.name())
                                .isPresent();
            case "ServiceEntry" ->
                target.group().equals("networking.istio.io")
                        && objects.find(ServiceEntry.class, Kind.SERVICE_ENTRY, policy.namespace(), target.name())
                                .isPresent();
            case "Gateway" ->
                target.group().equals(GATEWAY_API)
                        && objects.find(Gateway.class, Kind.GATEWAY, policy.namespace(), target.name())
                                .isPresent();
            case "GatewayClass" ->
                target.group().equals(GATEWAY_API)
                        && CLASSES.contains(target.name())
                        && policy.namespace().equals(rootNamespace);
            default -> false;
        };
    }
}
