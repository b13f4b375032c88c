package dev.culvert.cli.local;

import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.Deployment;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PodSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A pod that shall run. Deployments are expanded to numbered pods.
/// @param node which node it names, if it does
/// @param containers each is one process
public record PodPlan(
        String namespace,
        String name,
        Map<String, String> labels,
        Map<String, String> annotations,
        String serviceAccount,
        Optional<String> node,
        List<Container> containers) {

    /// All pods that the objects ask for.
    static List<PodPlan> of(ObjectSet objects) {
        var plans = new LinkedHashMap<String, PodPlan>();
        for (var pod : objects.pods()) {
            var template = new Deployment.Template(
                    pod.metadata().labels(), pod.metadata().annotations(), pod.spec());
            var plan = plan(pod.namespace(), pod.name(), template);
            plans.put(plan.key(), plan);
        }
        for (var deployment : objects.deployments()) {
            for (var ordinal = 0; ordinal < deployment.replicas(); ordinal++) {
                var name = deployment.name() + "-" + ordinal;
                var plan = plan(deployment.namespace(), name, deployment.template());
                plans.putIfAbsent(plan.key(), plan);
            }
        }
        return List.copyOf(plans.values());
    }

    private static PodPlan plan(String namespace, String name, Deployment.Template template) {
        var spec = template.spec();
        return new PodPlan(
                namespace,
                name,
                template.labels(),
                template.annotations(),
                spec.serviceAccount(),
                node(spec),
                spec.containers());
    }

    private static Optional<String> node(PodSpec spec) {
        return Optional.of(spec.nodeName())
                .filter(name -> !name.isEmpty())
                .or(() -> Optional.ofNullable(spec.nodeSelector().get("kubernetes.io/hostname")));
    }

    public String key() {
        return namespace + "/" + name;
    }

    String netns() {
        return "pod-" + namespace + "-" + name;
    }
}
