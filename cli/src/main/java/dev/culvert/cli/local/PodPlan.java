package dev.culvert.cli.local;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A pod that shall run. Deployments are expanded to numbered pods.
/// @param node which node it names, if it does
/// @param containers as the YAML has them; each is one process
public record PodPlan(
        String namespace,
        String name,
        Map<String, String> labels,
        Map<String, String> annotations,
        String serviceAccount,
        Optional<String> node,
        List<KubeObject> containers) {

    /// All pods that the objects ask for.
    static List<PodPlan> of(List<KubeObject> objects) {
        var plans = new LinkedHashMap<String, PodPlan>();
        for (var object : objects) {
            for (var plan : plans(object)) {
                plans.putIfAbsent(plan.namespace + "/" + plan.name, plan);
            }
        }
        return List.copyOf(plans.values());
    }

    private static List<PodPlan> plans(KubeObject object) {
        return switch (object.kind()) {
            case "Pod" -> List.of(plan(object.namespace(), object.name(), object));
            case "Deployment" -> expanded(object);
            default -> List.of();
        };
    }

    private static List<PodPlan> expanded(KubeObject deployment) {
        var replicas =
                deployment.text("spec", "replicas").map(Integer::parseInt).orElse(1);
        var plans = new ArrayList<PodPlan>();
        for (var ordinal = 0; ordinal < replicas; ordinal++) {
            var name = deployment.name() + "-" + ordinal;
            plans.add(plan(deployment.namespace(), name, deployment.at("spec", "template")));
        }
        return plans;
    }

    private static PodPlan plan(String namespace, String name, KubeObject template) {
        var selected =
                Optional.ofNullable(template.texts("spec", "nodeSelector").get("kubernetes.io/hostname"));
        return new PodPlan(
                namespace,
                name,
                template.texts("metadata", "labels"),
                template.texts("metadata", "annotations"),
                template.text("spec", "serviceAccountName").orElse("default"),
                template.text("spec", "nodeName").or(() -> selected),
                template.objects("spec", "containers"));
    }

    public String key() {
        return namespace + "/" + name;
    }

    String netns() {
        return "pod-" + namespace + "-" + name;
    }
}
