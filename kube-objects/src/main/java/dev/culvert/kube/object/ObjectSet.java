package dev.culvert.kube.object;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// All objects there are, and what is wrong with those that could not be read. Immutable, in the order of keys; of a
/// kind, or of a kind in a namespace, they are found without looking at the others.
public final class ObjectSet {
    public static final ObjectSet EMPTY = of(List.of(), List.of());

    private final Map<ObjectKey, KubeObject> objects;
    private final Map<ObjectKey, KubeObject> byKey;
    private final List<Problem> problems;
    private final List<Gap> gaps;
    private final Map<Class<?>, List<?>> byType = new ConcurrentHashMap<>();
    private final Map<Class<?>, Map<String, List<KubeObject>>> byNamespace = new ConcurrentHashMap<>();

    /// @param gaps what may be there as well: whoever needs to know that something is not so looks here first
    public ObjectSet(Map<ObjectKey, ? extends KubeObject> objects, List<Problem> problems, List<Gap> gaps) {
        this.objects = Collections.unmodifiableMap(new TreeMap<>(objects));
        this.byKey = new HashMap<>(objects);
        this.problems = problems.stream().sorted().distinct().toList();
        this.gaps = List.copyOf(gaps);
    }

    /// @throws IllegalStateException if two objects have the same key
    public static ObjectSet of(Collection<? extends KubeObject> objects, List<Problem> problems) {
        return new ObjectSet(
                objects.stream().collect(Collectors.toMap(KubeObject::key, Function.<KubeObject>identity())),
                problems,
                List.of());
    }

    public Map<ObjectKey, KubeObject> objects() {
        return objects;
    }

    public List<Problem> problems() {
        return problems;
    }

    public List<Gap> gaps() {
        return gaps;
    }

    @SuppressWarnings("unchecked") // only elements of the type are put there
    public <T extends KubeObject> List<T> all(Class<T> type) {
        return (List<T>) byType.computeIfAbsent(
                type,
                _ -> objects.values().stream()
                        .filter(type::isInstance)
                        .map(type::cast)
                        .toList());
    }

    @SuppressWarnings("unchecked") // only elements of the type are put there
    public <T extends KubeObject> List<T> all(Class<T> type, String namespace) {
        var all = byNamespace.computeIfAbsent(
                type,
                _ -> objects.values().stream()
                        .filter(type::isInstance)
                        .collect(Collectors.groupingBy(KubeObject::namespace)));
        return (List<T>) all.getOrDefault(namespace, List.of());
    }

    public <T extends KubeObject> Optional<T> find(Class<T> type, Kind kind, String namespace, String name) {
        return Optional.ofNullable(byKey.get(new ObjectKey(kind, namespace, name)))
                .filter(type::isInstance)
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

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ObjectSet set
                && objects.equals(set.objects)
                && problems.equals(set.problems)
                && gaps.equals(set.gaps);
    }

    @Override
    public int hashCode() {
        return Objects.hash(objects, problems, gaps);
    }

    @Override
    public String toString() {
        return "ObjectSet" + objects.keySet() + problems + gaps;
    }
}
