package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds policies that reach nobody: their author believes in a protection that is not there.
final class PolicyReach {
    static final String MODE = "istio.io/dataplane-mode";
    private final ObjectSet objects;
    private final String rootNamespace;
    private @Nullable Map<String, Set<Template>> known;

    /// A pod, or what a Deployment will make pods of.
    private record Template(String namespace, Map<String, String> labels, boolean inMesh) {}

    PolicyReach(ObjectSet objects, String rootNamespace) {
        this.objects = objects;
        this.rootNamespace = rootNamespace;
    }

    /// Made for the first policy: without one nobody needs to look at all pods.
    private Map<String, Set<Template>> byNamespace() {
        var found = known;
        if (found == null) {
            found = templates();
            known = found;
        }
        return found;
    }

    private Map<String, Set<Template>> templates() {
        var pods = objects.pods().stream()
                .filter(pod -> !pod.finished())
                .map(pod -> template(
                        pod.namespace(), pod.metadata().labels(), WorkloadTranslation.captured(pod.metadata())));
        var deployments = objects.deployments().stream()
                .map(one -> template(one.namespace(), one.template().labels(), false));
        return Stream.concat(pods, deployments).collect(Collectors.groupingBy(Template::namespace, Collectors.toSet()));
    }

    private Template template(String namespace, Map<String, String> labels, boolean captured) {
        var ofNamespace = objects.namespace(namespace)
                .flatMap(one -> one.metadata().label(MODE))
                .orElse("");
        return new Template(
                namespace,
                labels,
                captured
                        || Gateway.INGRESS_CLASSES.contains(labels.getOrDefault(Waypoints.GATEWAY_CLASS, ""))
                        || labels.getOrDefault(MODE, ofNamespace).equals("ambient"));
    }

    /// @param selector empty for all pods of the namespace, or of the mesh
    Optional<Problem> check(KubeObject policy, Map<String, String> selector) {
        var inScope = policy.namespace().equals(rootNamespace)
                ? byNamespace().values().stream().flatMap(Set::stream)
                : byNamespace().getOrDefault(policy.namespace(), Set.of()).stream();
        var selected = inScope.filter(one -> one.labels().entrySet().containsAll(selector.entrySet()))
                .toList();
        if (selected.isEmpty()) {
            var what = selector.isEmpty()
                    ? "there is no pod in namespace " + policy.namespace()
                    : "no pod has the labels of its selector, " + selector;
            return Optional.of(noEffect(policy, what, "correct the namespace or spec.selector.matchLabels"));
        }
        if (selected.stream().noneMatch(Template::inMesh)) {
            return Optional.of(noEffect(
                    policy,
                    "none of the pods it is for is in the mesh",
                    "label their namespace " + MODE + ": ambient"));
        }
        return Optional.empty();
    }

    private static Problem noEffect(KubeObject policy, String why, String fix) {
        return Problem.unused(policy.place(), policy.key().toString(), why, fix);
    }
}
