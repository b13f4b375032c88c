package dev.culvert.agent.app;

import dev.culvert.agent.pods.PodView;
import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Namespace;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import java.nio.file.Path;
import java.util.List;

/// What the objects say about the pods of one node, and what they leave open. Pure.
final class PodViews {
    private static final String NETNS = "culvert.dev/netns";

    private PodViews() {}

    /// Without a uid it is only wanted: a file asks for it, and nothing runs yet.
    static List<PodView> of(ObjectSet objects, String node) {
        return objects.pods().stream()
                .filter(pod -> pod.spec().nodeName().equals(node))
                .filter(pod -> !pod.metadata().uid().isEmpty())
                .map(pod -> view(pod, objects))
                .toList();
    }

    private static PodView view(Pod pod, ObjectSet objects) {
        return new PodView(
                new PodView.Name(pod.metadata().uid(), pod.namespace(), pod.name()),
                pod.spec().serviceAccount(),
                pod.metadata().labels(),
                pod.metadata().annotations(),
                new PodView.Surroundings(
                        objects.namespace(pod.namespace())
                                .map(Namespace::metadata)
                                .map(metadata -> metadata.labels()),
                        doubts(pod, objects.gaps())),
                pod.addresses(),
                pod.spec().hostNetwork(),
                pod.finished(),
                pod.metadata().annotation(NETNS).map(Path::of));
    }

    /// What nobody could read and what may ask for the pod's capture: its own object, its namespace's, or
    /// anything in a file of which nothing is clear.
    private static List<String> doubts(Pod pod, List<Gap> gaps) {
        var namespace = new ObjectKey(Kind.NAMESPACE, "", pod.namespace());
        return gaps.stream()
                .filter(gap -> gap.key()
                        .map(key -> key.equals(namespace) || key.equals(pod.key()))
                        .orElse(true))
                .map(Gap::toString)
                .toList();
    }
}
