package dev.culvert.kube.client;

import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.ApiReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// All objects as they could last be read. What is there and cannot be read says what it said before; a policy that
/// never could be keeps shut what it covers. Guarded by itself.
final class Known {
    private final TreeMap<ObjectKey, Seen> all = new TreeMap<>();

    /// @param object empty if nobody could ever read it
    /// @param closed what stands for it then
    private record Seen(Optional<KubeObject> object, Optional<KubeObject> closed, List<Problem> problems) {
        Seen {
            problems = List.copyOf(problems);
        }
    }

    /// Takes over what was read since; an empty result is an object that is gone.
    /// @return whether anything is different now
    synchronized boolean change(Map<ObjectKey, Optional<ApiReader.Result>> read) {
        var different = false;
        for (var entry : read.entrySet()) {
            var key = entry.getKey();
            var before = all.get(key);
            if (entry.getValue().isEmpty()) {
                different |= all.remove(key) != null;
            } else {
                var now = becomes(key, before, entry.getValue().get());
                if (!now.equals(before)) {
                    all.put(key, now);
                    different = true;
                }
            }
        }
        return different;
    }

    /// Takes over a whole list: others of this kind are gone.
    synchronized boolean replace(Kind kind, Map<ObjectKey, Optional<ApiReader.Result>> read) {
        var gone = all.keySet().removeIf(key -> key.kind() == kind && !read.containsKey(key));
        return change(read) || gone;
    }

    private static Seen becomes(ObjectKey key, @Nullable Seen before, ApiReader.Result now) {
        if (now.object().isPresent()) {
            return new Seen(now.object(), Optional.empty(), now.problems());
        }
        var problems = new ArrayList<>(now.problems());
        if (before != null && before.object.isPresent()) {
            var until = now.closed().isEmpty() ? "" : "; after that it " + shuts(key);
            problems.add(mistaken(key, "stands as it was before this mistake, until the next start" + until));
            return new Seen(before.object, Optional.empty(), problems);
        }
        if (now.closed().isPresent()) {
            problems.add(mistaken(key, shuts(key) + ", until it can be read"));
        }
        return new Seen(Optional.empty(), now.closed(), problems);
    }

    private static String shuts(ObjectKey key) {
        return key.kind() == Kind.PEER_AUTHENTICATION
                ? "lets in nobody without mutual TLS, in all that it covers"
                : "lets in nobody, in all that it covers";
    }

    private static Problem mistaken(ObjectKey key, String what) {
        return Problem.warning(Place.inCluster(key), key.toString(), what, "correct it");
    }

    /// A policy that stands for one that cannot be read is among the gaps as well.
    synchronized ObjectSet snapshot() {
        var objects = new TreeMap<ObjectKey, KubeObject>();
        var problems = new ArrayList<Problem>();
        var gaps = new ArrayList<Gap>();
        all.forEach((key, seen) -> {
            problems.addAll(seen.problems);
            seen.object.or(seen::closed).ifPresent(object -> objects.put(key, object));
            if (seen.object.isEmpty()) {
                gaps.add(new Gap(Place.inCluster(key), Optional.of(key)));
            }
        });
        SharedAddresses.take(objects, problems);
        return new ObjectSet(objects, problems, gaps);
    }
}
