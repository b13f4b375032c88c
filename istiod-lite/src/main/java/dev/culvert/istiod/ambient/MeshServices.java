package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.WorkloadEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// All names that are called inside of the mesh. Immutable.
public final class MeshServices {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<MeshService> all = new ArrayList<>();
    private final Map<String, List<MeshService>> byHostname = new HashMap<>();

    private MeshServices(ObjectSet objects, TranslationSettings settings, boolean withEntries) {
        this.objects = objects;
        this.settings = settings;
        objects.services().forEach(service -> all.add(MeshService.of(service, settings)));
        if (withEntries) {
            new EntryServices(objects, settings, new ArrayList<>())
                    .published()
                    .forEach(one -> all.add(MeshService.of(one)));
        }
        all.forEach(one -> byHostname
                .computeIfAbsent(one.hostname(), _ -> new ArrayList<>(1))
                .add(one));
    }

    public static MeshServices of(ObjectSet objects, TranslationSettings settings) {
        return new MeshServices(objects, settings, true);
    }

    /// Those of Kubernetes, for who cannot reach anything else.
    public static MeshServices ofKubernetes(ObjectSet objects, TranslationSettings settings) {
        return new MeshServices(objects, settings, false);
    }

    /// Without those that only stand for another name.
    public List<MeshService> all() {
        return all.stream().filter(one -> !one.isExternalName()).toList();
    }

    /// What callers of a namespace mean by a full name: what their own has, else what has it for everybody.
    public Optional<MeshService> named(String hostname, String namespace) {
        var found = byHostname.getOrDefault(hostname, List.of());
        return found.stream()
                .filter(one -> one.namespace().equals(namespace))
                .findFirst()
                .or(() -> found.stream().filter(MeshService::canonical).findFirst());
    }

    public boolean isKnown(String hostname) {
        return byHostname.containsKey(hostname);
    }

    public boolean isAnyEndingIn(String suffix) {
        return all.stream().anyMatch(one -> one.hostname().endsWith(suffix));
    }

    /// Its endpoints that have more labels, by uid.
    public List<String> workloads(MeshService service, Map<String, String> labels) {
        var pods = objects.pods().stream()
                .filter(pod -> pod.namespace().equals(service.namespace())
                        && !pod.finished()
                        && isOne(service, pod.metadata().labels(), labels))
                .map(pod -> WorkloadTranslation.uid(pod, settings));
        var machines = objects.all(WorkloadEntry.class, service.namespace()).stream()
                .filter(one -> isOne(service, one.labels(), labels))
                .map(one -> EntryWorkloads.uid(one, settings));
        return Stream.of(pods, machines, inline(service, labels))
                .flatMap(one -> one)
                .sorted()
                .toList();
    }

    private static boolean isOne(MeshService service, Map<String, String> own, Map<String, String> more) {
        return service.selects(own) && own.entrySet().containsAll(more.entrySet());
    }

    private Stream<String> inline(MeshService service, Map<String, String> labels) {
        return service.object() instanceof ServiceEntry entry
                ? entry.endpoints().stream()
                        .filter(endpoint -> endpoint.labels().entrySet().containsAll(labels.entrySet()))
                        .map(endpoint -> EntryWorkloads.uid(entry, endpoint.address(), settings))
                : Stream.empty();
    }
}
