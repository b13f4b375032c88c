package dev.culvert.agent.app;

import dev.culvert.agent.pods.PodView;
import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Namespace;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Probe;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/// What the objects say about the pods of one node, and what they leave open. Pure.
final class PodViews {
    private static final String NETNS = "culvert.dev/netns";

    private PodViews() {}

    /// Without a uid it is only wanted: a file asks for it, and nothing runs yet.
    static List<PodView> of(ObjectSet objects, String node) {
        return of(objects, node, true);
    }

    /// In a cluster anybody may annotate pods, so their word on network namespaces is not heard.
    static List<PodView> ofCluster(ObjectSet objects, String node) {
        return of(objects, node, false);
    }

    private static List<PodView> of(ObjectSet objects, String node, boolean toldNetns) {
        return objects.pods().stream()
                .filter(pod -> pod.spec().nodeName().equals(node))
                .filter(pod -> !pod.metadata().uid().isEmpty())
                .map(pod -> view(pod, objects, toldNetns))
                .toList();
    }

    private static PodView view(Pod pod, ObjectSet objects, boolean toldNetns) {
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
                declared(pod),
                pod.addresses(),
                pod.spec().hostNetwork(),
                pod.finished(),
                pod.metadata().annotation(NETNS).filter(_ -> toldNetns).map(Path::of));
    }

    /// A probe of a port by a name that no container gives it is asked nowhere.
    private static PodView.Declared declared(Pod pod) {
        var ports = new TreeSet<Integer>();
        var foreign = new TreeSet<String>();
        for (var container : Stream.concat(pod.spec().containers().stream(), pod.spec().sidecars().stream())
                .toList()) {
            for (var check : container.checks()) {
                asked(check, pod)
                        .forEach((host, ref) -> container.number(ref).ifPresent(port -> {
                            if (host.isEmpty()) {
                                ports.add(port);
                            } else {
                                foreign.add(host + ":" + port);
                            }
                        }));
            }
        }
        return new PodView.Declared(ports, List.copyOf(foreign));
    }

    /// @return host, empty for the pod itself, and port
    private static Map<String, PortRef> asked(Probe.Check check, Pod pod) {
        return switch (check) {
            case Probe.Check.Http http -> Map.of(own(http.host(), pod), http.port());
            case Probe.Check.Tcp(var host, var port) -> Map.of(own(host, pod), port);
            case Probe.Check.Grpc(var port) -> Map.of("", new PortRef.Numbered(port));
            case Probe.Check.Exec _ -> Map.of();
        };
    }

    private static String own(String host, Pod pod) {
        return pod.addresses().stream().anyMatch(own -> own.getHostAddress().equals(host)) ? "" : host;
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
