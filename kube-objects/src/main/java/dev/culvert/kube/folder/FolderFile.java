package dev.culvert.kube.folder;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// What one file says, and of what it got wrong what it said before: a typing mistake in a policy must not open
/// what
/// the policy of a moment ago kept shut.
record FolderFile(Map<ObjectKey, KubeObject> objects, List<Problem> problems) {
    static final FolderFile NOTHING = new FolderFile(Map.of(), List.of());

    FolderFile {
        objects = Map.copyOf(objects);
        problems = List.copyOf(problems);
    }

    /// The same file after a change.
    FolderFile becomes(YamlReader.Result now) {
        var next = new HashMap<ObjectKey, KubeObject>();
        var problems = new ArrayList<>(now.problems());
        for (var object : now.objects()) {
            var before = next.putIfAbsent(object.key(), object);
            if (before != null) {
                problems.add(Folders.duplicate(object, before));
            }
        }
        var kept = new HashSet<>(now.unclear() ? objects.keySet() : now.broken());
        kept.forEach(key -> {
            var before = objects.get(key);
            if (before != null) {
                next.putIfAbsent(key, before);
            }
        });
        return new FolderFile(next, problems);
    }
}
