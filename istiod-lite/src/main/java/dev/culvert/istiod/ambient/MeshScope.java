package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/// What of a cluster belongs to the mesh: `discoverySelectors` of the mesh's configuration choose namespaces, with all
/// that is in them. The system namespace always does. Pure.
public final class MeshScope {
    private MeshScope() {}

    /// @return `all` itself where nothing is chosen; its problems are those of `all`, and those of the configuration
    public static ObjectSet of(ObjectSet all, TranslationSettings settings) {
        var found = MeshConfig.of(all, settings.rootNamespace());
        if (found.isEmpty()) {
            return all;
        }
        var mesh = found.get();
        var problems = new ArrayList<>(all.problems());
        BiFunction<String, String, Problem> warn =
                (what, fix) -> Problem.warning(mesh.place(), mesh.key().toString(), what, fix);
        mesh.trustDomain()
                .filter(said -> !said.equals(settings.trustDomain()))
                .ifPresent(said -> problems.add(warn.apply(
                        "trustDomain " + said + " has no effect: the controller was started with "
                                + settings.trustDomain(),
                        "set TRUST_DOMAIN of the controller (global.trustDomain of the chart), and start it anew")));
        mesh.rootNamespace()
                .filter(said -> !said.equals(settings.rootNamespace()))
                .ifPresent(said -> problems.add(warn.apply(
                        "rootNamespace " + said + " has no effect: the controller was started with "
                                + settings.rootNamespace(),
                        "set ROOT_NAMESPACE of the controller, and start it anew")));
        if (mesh.discovery().isEmpty()) {
            return new ObjectSet(all.objects(), problems, all.gaps());
        }
        var chosen = namespaces(all, mesh, settings);
        if (chosen.equals(Set.of(settings.rootNamespace()))) {
            problems.add(warn.apply(
                    "discoverySelectors select no namespace but " + settings.rootNamespace()
                            + ": no pod is in the mesh",
                    "label the namespaces of the mesh as a selector says"));
        }
        return new ObjectSet(within(all.objects(), chosen), problems, all.gaps());
    }

    private static Set<String> namespaces(ObjectSet all, MeshConfig mesh, TranslationSettings settings) {
        var chosen = all.namespaces().stream()
                .filter(namespace -> mesh.discovery().stream()
                        .anyMatch(selector ->
                                selector.selects(namespace.metadata().labels())))
                .map(KubeObject::name)
                .collect(Collectors.toSet());
        chosen.add(settings.rootNamespace());
        return chosen;
    }

    private static Map<ObjectKey, KubeObject> within(Map<ObjectKey, KubeObject> all, Set<String> namespaces) {
        var kept = new HashMap<ObjectKey, KubeObject>();
        all.forEach((key, object) -> {
            var home = key.kind() == Kind.NAMESPACE ? key.name() : key.namespace();
            if (home.isEmpty() || namespaces.contains(home)) {
                kept.put(key, object);
            }
        });
        return kept;
    }
}
