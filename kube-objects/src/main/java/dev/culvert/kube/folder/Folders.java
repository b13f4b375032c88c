package dev.culvert.kube.folder;

import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Puts files and folders together: what is written twice, and which address belongs to two. Pure.
final class Folders {
    static final String REDIRECTION = "ambient.istio.io/redirection";

    private Folders() {}

    /// @param folders the files of each folder; an object in a later folder replaces the one in an earlier
    /// @param redirection value of the redirection annotation by pod uid
    static ObjectSet combine(List<? extends Collection<FolderFile>> folders, Map<String, String> redirection) {
        var problems = new ArrayList<Problem>();
        var objects = new HashMap<ObjectKey, KubeObject>();
        var ranks = new HashMap<ObjectKey, Integer>();
        var gaps = new ArrayList<Gap>();
        for (var folder = 0; folder < folders.size(); folder++) {
            var ofFolder = combine(folders.get(folder), problems);
            objects.putAll(ofFolder);
            gaps.removeIf(gap -> gap.key().filter(ofFolder::containsKey).isPresent());
            folders.get(folder).forEach(file -> gaps.addAll(file.gaps()));
            var rank = -folder;
            ofFolder.keySet().forEach(key -> ranks.put(key, rank));
        }
        removeSharedAddresses(objects, ranks, problems);
        objects.replaceAll((_, object) -> object instanceof Pod pod ? overlay(pod, redirection) : object);
        return new ObjectSet(objects, problems, gaps);
    }

    private static Map<ObjectKey, KubeObject> combine(Collection<FolderFile> files, List<Problem> problems) {
        var objects = new HashMap<ObjectKey, KubeObject>();
        for (var file : files) {
            problems.addAll(file.problems());
            file.said().objects().forEach((key, object) -> {
                var before = objects.putIfAbsent(key, object);
                if (before != null) {
                    problems.add(duplicate(object, before));
                }
            });
        }
        return objects;
    }

    static Problem duplicate(KubeObject second, KubeObject first) {
        return Problem.error(
                second.place(),
                second.key().toString(),
                "is written twice, first at " + first.place() + "; this one is left out",
                "remove or rename one of them");
    }

    /// What a later folder says is so (there the cluster writes what it gave) and keeps its address; in one folder
    /// the first by place does. Others that claim it are left out.
    private static void removeSharedAddresses(
            Map<ObjectKey, KubeObject> objects, Map<ObjectKey, Integer> ranks, List<Problem> problems) {
        var owners = new HashMap<InetAddress, KubeObject>();
        var inOrder = objects.values().stream()
                .sorted(Comparator.comparing((KubeObject object) -> ranks.getOrDefault(object.key(), 0))
                        .thenComparing(KubeObject::place))
                .toList();
        for (var object : inOrder) {
            var addresses = ownAddresses(object);
            var taken = addresses.stream().filter(owners::containsKey).findFirst();
            if (taken.isPresent()) {
                problems.add(shared(object, taken.get(), Objects.requireNonNull(owners.get(taken.get()))));
                objects.remove(object.key());
            } else {
                addresses.forEach(address -> owners.put(address, object));
            }
        }
    }

    private static Problem shared(KubeObject object, InetAddress address, KubeObject owner) {
        return Problem.error(
                object.place(),
                object.key().toString(),
                "duplicate IP " + address.getHostAddress() + ", already of " + owner.key() + " at " + owner.place()
                        + "; this one is left out",
                "give it an address of its own");
    }

    private static List<InetAddress> ownAddresses(KubeObject object) {
        return switch (object) {
            case Pod pod when !pod.spec().hostNetwork() && !pod.finished() -> pod.addresses();
            case Service service -> service.addresses();
            default -> List.of();
        };
    }

    private static Pod overlay(Pod pod, Map<String, String> redirection) {
        return Optional.ofNullable(redirection.get(pod.metadata().uid()))
                .map(value -> pod.withAnnotation(REDIRECTION, value))
                .orElse(pod);
    }
}
