package dev.culvert.kube.object;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// All objects there are, and what is wrong with those that could not be read. Immutable, in the order of keys.
///
/// @param gaps what may be there as well: whoever needs to know that something is not so looks here first
public record ObjectSet(Map<ObjectKey, KubeObject> objects, List<Problem> problems, List<Gap> gaps) {
    public static final ObjectSet EMPTY = of(List.of(), List.of());

    public ObjectSet {
        objects = Collections.unmodifiableMap(new TreeMap<>(objects));
        problems = problems.stream().sorted().distinct().toList();
        gaps = List.copyOf(gaps);
    }

    /// @throws IllegalStateException if two objects have the same key
    public static ObjectSet of(Collection<? extends KubeObject> objects, List<Problem> problems) {
        return new ObjectSet(
                objects.stream().collect(Collectors.toMap(KubeObject::key, Function.<KubeObject>identity())),
                problems,
                List.of());
    }

    public <T extends KubeObject> List<T> all(Class<T> type) {
        return objects.values().stream()
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    public <T extends KubeObject> Optional<T> find(Class<T> type, Kind kind, String namespace, String name) {
        return Optional.ofNullable(objects.get(new ObjectKey(kind, namespace, name)))
                .map(type::cast);
    }

    public List<Pod> pods() {
        return all(Pod.class);
    }

    public List<Service> services() {
        return all(Service.class);
    }

    public List<Node> nodes() {
        return all(Node.class);
    }

    public List<Namespace> namespaces() {
        return all(Namespace.class);
    }

    public List<Deployment> deployments() {
        return all(Deployment.class);
    }

    public Optional<Namespace> namespace(String name) {
        return find(Namespace.class, Kind.NAMESPACE, "", name);
    }

    public Optional<Node> node(String name) {
        return find(Node.class, Kind.NODE, "", name);
    }
}
