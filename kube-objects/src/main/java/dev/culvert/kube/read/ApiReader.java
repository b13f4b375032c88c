package dev.culvert.kube.read;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Problem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/// Reads objects that an API server gave, by the same rules as files, but that unknown fields are no mistakes.
public final class ApiReader {
    private static final Mark NOWHERE = new Mark("", 0, 0, 0, new int[0], 0);

    private ApiReader() {}

    /// @param object empty if it cannot be read: then `problems` says why
    /// @param closed what stands for an object that cannot be read, so that nothing is open for that
    public record Result(Optional<KubeObject> object, Optional<KubeObject> closed, List<Problem> problems) {
        public Result {
            problems = List.copyOf(problems);
        }
    }

    /// Whether an object is of those that we read: not all of a kind are.
    public static boolean isForeign(ObjectKey key, Map<?, ?> json) {
        return ObjectReader.isForeign(key.kind(), new Fields(Document.inCluster(key), "", node(json)));
    }

    /// @param key of the object
    /// @param json as parsed: maps, lists, texts, numbers, truth values
    public static Result read(ObjectKey key, Map<?, ?> json) {
        var document = Document.inCluster(key);
        var whole = new LinkedHashMap<Object, @Nullable Object>(json);
        whole.put("kind", key.kind().text());
        whole.put("apiVersion", key.kind().apiVersions().getFirst());
        var fields = new Fields(document, "", node(whole));
        var object = ObjectReader.read(document, fields).object();
        var closed = object.isPresent() ? Optional.<KubeObject>empty() : ObjectReader.closed(key, fields);
        return new Result(object, closed, document.problems());
    }

    private static Node node(@Nullable Object json) {
        return switch (json) {
            case null -> scalar(Tag.NULL, "");
            case Map<?, ?> map ->
                new MappingNode(
                        Tag.MAP,
                        true,
                        map.entrySet().stream()
                                .map(field -> new NodeTuple(
                                        scalar(Tag.STR, String.valueOf(field.getKey())), node(field.getValue())))
                                .toList(),
                        NOWHERE,
                        NOWHERE,
                        FlowStyle.FLOW);
            case List<?> list ->
                new SequenceNode(
                        Tag.SEQ, true, list.stream().map(ApiReader::node).toList(), NOWHERE, NOWHERE, FlowStyle.FLOW);
            case Boolean truth -> scalar(Tag.BOOL, truth.toString());
            case Double number -> scalar(Tag.FLOAT, number.toString());
            case Float number -> scalar(Tag.FLOAT, number.toString());
            case Number number -> scalar(Tag.INT, number.toString());
            default -> scalar(Tag.STR, json.toString());
        };
    }

    private static ScalarNode scalar(Tag tag, String text) {
        return new ScalarNode(tag, text, NOWHERE, NOWHERE, ScalarStyle.PLAIN);
    }
}
