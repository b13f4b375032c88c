package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The values that an installation was made with, in a ConfigMap of the system namespace: an upgrade begins with them.
///
/// @param files their text, the last wins
/// @param sets over the files
record KeptValues(List<String> files, Map<String, String> sets) {
    static final KeptValues NONE = new KeptValues(List.of(), Map.of());
    private static final String FILE = "file-";
    private static final String SET = "set-";

    KeptValues {
        files = List.copyOf(files);
        sets = Map.copyOf(sets);
    }

    static KeptValues of(List<Path> files, Map<String, String> sets) throws IOException {
        var texts = new ArrayList<String>();
        for (var file : files) {
            texts.add(Files.readString(file));
        }
        return new KeptValues(texts, sets);
    }

    /// What is said now: files go instead of those kept, single values over those kept.
    KeptValues with(KeptValues now) {
        var all = new LinkedHashMap<>(sets);
        all.putAll(now.sets);
        return new KeptValues(now.files.isEmpty() ? files : now.files, all);
    }

    private static String name(String revision) {
        return "culvert-values" + (revision.equals(Revisions.DEFAULT) ? "" : "-" + revision);
    }

    static KeptValues load(Cluster cluster, String namespace, String revision) throws IOException {
        return cluster.get(Cluster.CONFIG_MAP, namespace, name(revision))
                .map(KeptValues::read)
                .orElse(NONE);
    }

    private static KeptValues read(GenericKubernetesResource map) {
        var files = new TreeMap<String, String>();
        var sets = new LinkedHashMap<String, String>();
        if (map.get("data") instanceof Map<?, ?> data) {
            data.forEach((key, value) -> {
                var text = String.valueOf(value);
                if (String.valueOf(key).startsWith(FILE)) {
                    files.put(String.valueOf(key), text);
                } else if (String.valueOf(key).startsWith(SET) && text.contains("=")) {
                    sets.put(text.substring(0, text.indexOf('=')), text.substring(text.indexOf('=') + 1));
                }
            });
        }
        return new KeptValues(List.copyOf(files.values()), sets);
    }

    void save(Cluster cluster, String namespace, String revision) throws IOException {
        var data = new TreeMap<String, Object>();
        for (var file : files) {
            data.put(FILE + "%03d".formatted(data.size()), file);
        }
        for (var set : new TreeMap<>(sets).entrySet()) {
            data.put(SET + "%03d".formatted(data.size()), set.getKey() + "=" + set.getValue());
        }
        cluster.apply(Map.of(
                "apiVersion",
                "v1",
                "kind",
                "ConfigMap",
                "metadata",
                Map.of(
                        "name",
                        name(revision),
                        "namespace",
                        namespace,
                        "labels",
                        Map.of(Cluster.PART_OF, Cluster.OURS, Revisions.LABEL, revision)),
                "data",
                data));
    }

    /// With these the charts are rendered.
    List<Map<String, Object>> render(String release, String namespace) throws IOException {
        var scratch = Files.createTempDirectory("culvert-values");
        var paths = new ArrayList<Path>();
        try {
            for (var file : files) {
                paths.add(Files.writeString(scratch.resolve(paths.size() + ".yaml"), file));
            }
            return Charts.render(new Charts.Values(release, namespace, paths, sets));
        } finally {
            for (var path : paths) {
                Files.delete(path);
            }
            Files.delete(scratch);
        }
    }
}
