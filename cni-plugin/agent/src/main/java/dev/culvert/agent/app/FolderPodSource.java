package dev.culvert.agent.app;

import dev.culvert.agent.pods.PodSource;
import dev.culvert.agent.pods.PodView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/// Reads the pods of one node from folders of YAML, and again whenever a file has changed; a later folder
/// wins. What a file said last stands while it cannot be read. One platform thread of its own.
final class FolderPodSource implements PodSource {
    private static final Logger LOG = LoggerFactory.getLogger(FolderPodSource.class);
    private static final Duration PERIOD = Duration.ofMillis(100);

    private final List<Path> folders;
    private final String node;
    private final Map<Path, FileState> files = new LinkedHashMap<>();
    private volatile boolean closed;
    private final Thread watcher =
            Thread.ofPlatform().name("agent-folder").daemon().unstarted(this::watch);
    private Consumer<List<PodView>> changed = _ -> {};

    private record FileState(String stamp, List<Map<String, Object>> objects) {}

    FolderPodSource(List<Path> folders, String node) {
        this.folders = List.copyOf(folders);
        this.node = node;
    }

    @Override
    public void start(Consumer<List<PodView>> listener) {
        changed = listener;
        readIfChanged();
        listener.accept(pods());
        watcher.start();
    }

    private void watch() {
        while (!closed) {
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                return;
            }
            if (readIfChanged()) {
                changed.accept(pods());
            }
        }
    }

    private boolean readIfChanged() {
        var found = new LinkedHashMap<Path, FileState>();
        var different = false;
        for (var folder : folders) {
            for (var path : yamlFiles(folder)) {
                var known = files.get(path);
                var read = read(path, known);
                different |= known == null || !read.stamp.equals(known.stamp);
                found.put(path, read);
            }
        }
        different |= found.size() != files.size();
        files.clear();
        files.putAll(found);
        return different;
    }

    private static List<Path> yamlFiles(Path folder) {
        try (var paths = Files.walk(folder)) {
            return paths.filter(Files::isRegularFile)
                    .filter(path ->
                            path.toString().endsWith(".yaml") || path.toString().endsWith(".yml"))
                    .filter(path -> !path.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("folder {} cannot be read: {}", folder, e.toString());
            return List.of();
        }
    }

    private static FileState read(Path path, @Nullable FileState known) {
        try {
            var stamp = Files.getLastModifiedTime(path) + "/" + Files.size(path);
            if (known != null && known.stamp.equals(stamp)) {
                return known;
            }
            try {
                return new FileState(stamp, parse(Files.readString(path)));
            } catch (YAMLException e) {
                LOG.warn("{} is ignored until it is mended: {}", path, e.getMessage());
                return new FileState(stamp, known == null ? List.of() : known.objects);
            }
        } catch (IOException e) {
            return new FileState("gone", List.of()); // between listing and reading
        }
    }

    private static List<Map<String, Object>> parse(String text) {
        var objects = new ArrayList<Map<String, Object>>();
        for (var document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
            objects.add(mapping(document));
        }
        return objects;
    }

    private List<PodView> pods() {
        var namespaceLabels = new HashMap<String, Map<String, String>>();
        var pods = new TreeMap<String, Map<String, Object>>();
        for (var file : files.values()) {
            for (var object : file.objects) {
                var metadata = mapping(object.get("metadata"));
                if ("Namespace".equals(object.get("kind"))) {
                    namespaceLabels.put(text(metadata, "name", ""), texts(metadata.get("labels")));
                } else if ("Pod".equals(object.get("kind"))) {
                    pods.put(text(metadata, "namespace", "default") + "/" + text(metadata, "name", ""), object);
                }
            }
        }
        return pods.values().stream()
                .filter(pod -> node.equals(mapping(pod.get("spec")).get("nodeName")))
                .filter(pod -> mapping(pod.get("status")).containsKey("podIP"))
                .map(pod -> view(pod, namespaceLabels))
                .toList();
    }

    private static PodView view(Map<String, Object> pod, Map<String, Map<String, String>> namespaceLabels) {
        var metadata = mapping(pod.get("metadata"));
        var spec = mapping(pod.get("spec"));
        var status = mapping(pod.get("status"));
        var namespace = text(metadata, "namespace", "default");
        var annotations = texts(metadata.get("annotations"));
        var phase = text(status, "phase", "");
        return new PodView(
                new PodView.Name(text(metadata, "uid", ""), namespace, text(metadata, "name", "")),
                text(spec, "serviceAccountName", "default"),
                texts(metadata.get("labels")),
                annotations,
                namespaceLabels.getOrDefault(namespace, Map.of()),
                addresses(status),
                Boolean.TRUE.equals(spec.get("hostNetwork")),
                phase.equals("Succeeded") || phase.equals("Failed"),
                Optional.ofNullable(annotations.get("culvert.dev/netns")).map(Path::of));
    }

    private static List<InetAddress> addresses(Map<String, Object> status) {
        var texts = new ArrayList<String>();
        if (status.get("podIPs") instanceof List<?> list) {
            list.forEach(entry -> texts.add(text(mapping(entry), "ip", "")));
        } else {
            texts.add(text(status, "podIP", ""));
        }
        var addresses = new ArrayList<InetAddress>();
        for (var text : texts) {
            try {
                addresses.add(InetAddress.ofLiteral(text));
            } catch (IllegalArgumentException e) {
                LOG.warn("not an address: {}", text);
            }
        }
        return addresses;
    }

    private static String text(Map<String, Object> fields, String name, String otherwise) {
        var value = fields.get(name);
        return value == null ? otherwise : value.toString();
    }

    private static Map<String, String> texts(@Nullable Object value) {
        var texts = new HashMap<String, String>();
        mapping(value).forEach((key, text) -> texts.put(key, String.valueOf(text)));
        return texts;
    }

    @SuppressWarnings("unchecked") // YAML mappings of Kubernetes objects have texts as keys
    private static Map<String, Object> mapping(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    @Override
    public void close() {
        closed = true;
        watcher.interrupt();
    }
}
