package dev.culvert.cli.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/// The objects of a user's folder. What a file last said stands while the file cannot be read. Confined to
/// one thread.
final class KubeFolder {
    private static final Logger LOG = LoggerFactory.getLogger(KubeFolder.class);

    private final Path directory;
    private final Map<Path, FileState> files = new HashMap<>();

    private record FileState(String stamp, List<KubeObject> objects) {}

    KubeFolder(Path directory) {
        this.directory = directory;
    }

    /// All objects now, in the order of the files' names.
    List<KubeObject> read() throws IOException {
        var found = new TreeMap<Path, FileState>();
        try (var paths = Files.walk(directory)) {
            for (var path : paths.filter(KubeFolder::isYaml).toList()) {
                found.put(path, read(path));
            }
        }
        files.clear();
        files.putAll(found);
        var objects = new ArrayList<KubeObject>();
        found.values().forEach(file -> objects.addAll(file.objects));
        return objects;
    }

    private static boolean isYaml(Path path) {
        var name = path.getFileName().toString();
        return (name.endsWith(".yaml") || name.endsWith(".yml")) && !name.startsWith(".") && Files.isRegularFile(path);
    }

    private FileState read(Path path) throws IOException {
        var stamp = Files.getLastModifiedTime(path) + "/" + Files.size(path);
        var known = files.get(path);
        if (known != null && known.stamp.equals(stamp)) {
            return known;
        }
        try {
            return new FileState(stamp, parse(Files.readString(path)));
        } catch (YAMLException e) {
            LOG.warn("{} is ignored until it is mended: {}", path, e.getMessage());
            return new FileState(stamp, known == null ? List.of() : known.objects);
        }
    }

    static List<KubeObject> parse(String text) {
        var objects = new ArrayList<KubeObject>();
        for (var document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
            var fields = new KubeObject(Map.of("it", document == null ? Map.of() : document)).at("it");
            if (!fields.kind().isEmpty()) {
                objects.add(fields);
            }
        }
        return objects;
    }
}
