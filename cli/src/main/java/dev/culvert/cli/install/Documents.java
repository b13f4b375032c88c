package dev.culvert.cli.install;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/// Objects as trees of maps; pure.
final class Documents {
    private Documents() {}

    static String name(Map<String, Object> object) {
        return metadata(object, "name");
    }

    /// Empty if it has none.
    static String namespace(Map<String, Object> object) {
        return metadata(object, "namespace");
    }

    /// Empty if it has none.
    static String label(Map<String, Object> object, String name) {
        return object.get("metadata") instanceof Map<?, ?> metadata
                        && metadata.get("labels") instanceof Map<?, ?> labels
                        && labels.get(name) instanceof String text
                ? text
                : "";
    }

    private static String metadata(Map<String, Object> object, String field) {
        return object.get("metadata") instanceof Map<?, ?> metadata && metadata.get(field) instanceof String text
                ? text
                : "";
    }

    /// One document each.
    static String yaml(List<Map<String, Object>> objects) {
        var options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        var yaml = new Yaml(options);
        return objects.stream().map(object -> "---\n" + yaml.dump(object)).collect(Collectors.joining());
    }
}
