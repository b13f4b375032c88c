package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Namespace;
import dev.culvert.kube.object.Problem;
import java.util.List;

/// Says which label of a namespace takes its pods into the mesh, where its author wrote another one.
final class EnrolmentAdvice {
    private static final String INJECTION = "istio-injection";

    private EnrolmentAdvice() {}

    static void check(List<Namespace> namespaces, List<Problem> problems) {
        for (var namespace : namespaces) {
            var labels = namespace.metadata().labels();
            if ("enabled".equals(labels.get(INJECTION)) && !labels.containsKey(PolicyReach.MODE)) {
                problems.add(Problem.warning(
                        namespace.place(),
                        namespace.key().toString(),
                        "the label " + INJECTION + "=enabled is for sidecars and takes no pod into this mesh",
                        "label the namespace " + PolicyReach.MODE + "=ambient"));
            }
        }
    }
}
