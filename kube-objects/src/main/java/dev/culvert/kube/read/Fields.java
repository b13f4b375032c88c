package dev.culvert.kube.read;

import dev.culvert.kube.object.Place;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/// One mapping of a document, read field by field. Whatever has another form than asked for becomes a problem
/// of the
/// document and reads as absent; so does `null`, as in Kubernetes. For one thread.
final class Fields {
    private final Document document;
    private final String path;
    private final Node node;
    private final Map<String, Node> values = new LinkedHashMap<>();

    /// @param path the mapping's name in messages, such as `spec.ports[0]`; empty for the document itself
    Fields(Document document, String path, Node node) {
        this.document = document;
        this.path = path;
        this.node = node;
        if (node instanceof MappingNode mapping) {
            mapping.getValue().forEach(pair -> put(pair.getKeyNode(), pair.getValueNode()));
        } else if (!isNull(node)) {
            document.error(
                    node, describe() + " must be a mapping, not " + form(node), "write it as `name: value` lines");
        }
    }

    private void put(Node key, Node value) {
        if (!(key instanceof ScalarNode scalar)) {
            document.error(key, "a field's name must be text", "");
        } else if (values.containsKey(scalar.getValue())) {
            document.error(key, named(scalar.getValue()) + " is written twice", "keep one of them");
        } else {
            values.put(scalar.getValue(), value);
        }
    }

    /// The same mapping as the root of another document.
    Fields in(Document other) {
        return new Fields(other, "", node);
    }

    /// Makes a problem of every field with another name.
    Fields knowing(Set<String> names) {
        if (document.mayHaveUnknownFields()) {
            return this;
        }
        values.forEach((name, value) -> {
            if (!names.contains(name)) {
                var hint = Hints.nearest(name, names)
                        .map(near -> "did you mean " + near + "?")
                        .orElse("remove it");
                document.error(value, "unknown field " + named(name), hint);
            }
        });
        return this;
    }

    boolean has(String name) {
        return find(name).isPresent();
    }

    Place place() {
        return document.place(node);
    }

    Set<String> names() {
        return values.keySet();
    }

    void error(String name, String message, String fix) {
        document.error(values.getOrDefault(name, node), message, fix);
    }

    void warning(String name, String message, String fix) {
        document.warning(values.getOrDefault(name, node), message, fix);
    }

    /// The field's full name, for messages.
    String named(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    Optional<String> text(String name) {
        return find(name).flatMap(value -> text(named(name), value));
    }

    String text(String name, String otherwise) {
        return text(name).orElse(otherwise);
    }

    String requiredText(String name) {
        if (!has(name)) {
            document.error(node, named(name) + " is missing", "add it");
        }
        return text(name, "");
    }

    /// Text of a form that `parser` reads, or it throws [IllegalArgumentException].
    <T> Optional<T> parsed(String name, String form, Function<String, T> parser) {
        return text(name).flatMap(value -> parse(find(name).orElseThrow(), named(name), form, parser, value));
    }

    <T> List<T> parsedList(String name, String form, Function<String, T> parser) {
        return items(name, (at, value) -> text(at, value).flatMap(text -> parse(value, at, form, parser, text)));
    }

    private <T> Optional<T> parse(Node at, String where, String form, Function<String, T> parser, String value) {
        try {
            return Optional.of(parser.apply(value));
        } catch (IllegalArgumentException otherForm) {
            document.error(at, where + ": \"" + value + "\" is not " + form, "write " + form);
            return Optional.empty();
        }
    }

    <E> Optional<E> oneOf(String name, Map<String, E> accepted) {
        return text(name).flatMap(value -> {
            if (!accepted.containsKey(value)) {
                var all = accepted.keySet().stream().sorted().collect(Collectors.joining(", "));
                error(name, named(name) + " must be one of " + all + ", not \"" + value + "\"", hint(value, accepted));
            }
            return Optional.ofNullable(accepted.get(value));
        });
    }

    private static String hint(String value, Map<String, ?> accepted) {
        return Hints.nearest(value, accepted.keySet())
                .map(near -> "did you mean " + near + "?")
                .orElse("write one of these");
    }

    Optional<Integer> integer(String name, int min, int max) {
        return find(name).flatMap(value -> {
            var number = value.getTag().equals(Tag.INT)
                    ? parseInt(((ScalarNode) value).getValue())
                    : Optional.<Integer>empty();
            if (number.isEmpty() || number.get() < min || number.get() > max) {
                var what = value instanceof ScalarNode scalar ? "\"" + scalar.getValue() + "\"" : form(value);
                var fix = value.getTag().equals(Tag.STR) ? "write the number without quotes" : "write such a number";
                document.error(value, named(name) + " must be an integer " + min + ".." + max + ", not " + what, fix);
                return Optional.empty();
            }
            return number;
        });
    }

    private static Optional<Integer> parseInt(String text) {
        try {
            return Optional.of(Integer.parseInt(text));
        } catch (NumberFormatException tooBigOrOctal) {
            return Optional.empty();
        }
    }

    /// A list of integers.
    List<Integer> integers(String name, int min, int max) {
        return items(name, (at, value) -> {
            var number = value.getTag().equals(Tag.INT)
                    ? parseInt(((ScalarNode) value).getValue())
                    : Optional.<Integer>empty();
            if (number.isEmpty() || number.get() < min || number.get() > max) {
                document.error(value, at + " must be an integer " + min + ".." + max, "write such a number");
                return Optional.empty();
            }
            return number;
        });
    }

    /// A number with or without a fraction.
    Optional<Double> number(String name, double min, double max) {
        return find(name).flatMap(value -> {
            var isNumber = value.getTag().equals(Tag.INT) || value.getTag().equals(Tag.FLOAT);
            var number = isNumber ? parseDouble(((ScalarNode) value).getValue()) : Optional.<Double>empty();
            if (number.isEmpty() || !(number.get() >= min && number.get() <= max)) {
                document.error(value, named(name) + " must be a number " + min + ".." + max, "write such a number");
                return Optional.empty();
            }
            return number;
        });
    }

    private static Optional<Double> parseDouble(String text) {
        try {
            return Optional.of(Double.parseDouble(text));
        } catch (NumberFormatException special) {
            return Optional.empty();
        }
    }

    boolean isMapping(String name) {
        return find(name).filter(MappingNode.class::isInstance).isPresent();
    }

    boolean isInteger(String name) {
        return find(name).filter(value -> value.getTag().equals(Tag.INT)).isPresent();
    }

    boolean flag(String name) {
        return find(name).filter(value -> flag(named(name), value)).isPresent();
    }

    private boolean flag(String where, Node value) {
        if (!value.getTag().equals(Tag.BOOL)) {
            document.error(
                    value, where + " must be true or false, not " + form(value), "write true or false, unquoted");
            return false;
        }
        return ((ScalarNode) value).getValue().equalsIgnoreCase("true");
    }

    List<String> texts(String name) {
        return items(name, this::text);
    }

    Map<String, String> textMap(String name) {
        var found = new LinkedHashMap<String, String>();
        child(name)
                .ifPresent(map ->
                        map.values.keySet().forEach(key -> map.text(key).ifPresent(text -> found.put(key, text))));
        return found;
    }

    Optional<Fields> child(String name) {
        return find(name).map(value -> new Fields(document, named(name), value));
    }

    /// The mapping with this name; without one, an empty one in its place.
    Fields childOrEmpty(String name) {
        return child(name)
                .orElseGet(() -> new Fields(
                        document,
                        named(name),
                        new MappingNode(
                                Tag.MAP, true, List.of(), node.getStartMark(), node.getEndMark(), FlowStyle.BLOCK)));
    }

    /// The mapping that a text says, as YAML; an empty one where there is none, or it cannot be read.
    Fields embedded(String name) {
        var empty = childOrEmpty("").node;
        var value = find(name);
        var text = text(name, "");
        if (value.isEmpty() || text.isBlank()) {
            return new Fields(document, named(name), empty);
        }
        var isBlock = value.get() instanceof ScalarNode scalar
                && (scalar.getScalarStyle() == ScalarStyle.LITERAL || scalar.getScalarStyle() == ScalarStyle.FOLDED);
        var inner = document.within(value.get().getStartMark().getLine() + (isBlock ? 1 : 0));
        try {
            var root = new Yaml(YamlReader.options()).compose(new StringReader(text));
            return new Fields(inner, named(name), root == null ? empty : root);
        } catch (YAMLException broken) {
            document.error(
                    value.get(),
                    named(name) + " is not YAML: "
                            + String.valueOf(broken.getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse(""),
                    "check its indentation, quotes and colons");
            return new Fields(document, named(name), empty);
        }
    }

    List<Fields> children(String name) {
        return items(name, (at, value) -> Optional.of(new Fields(document, at, value)));
    }

    private interface Item<T> {
        Optional<T> read(String where, Node value);
    }

    private <T> List<T> items(String name, Item<T> item) {
        var found = new ArrayList<T>();
        find(name).ifPresent(value -> {
            if (value instanceof SequenceNode list) {
                IntStream.range(0, list.getValue().size())
                        .forEach(i -> item.read(
                                        named(name) + "[" + i + "]",
                                        list.getValue().get(i))
                                .ifPresent(found::add));
            } else {
                document.error(
                        value, named(name) + " must be a list, not " + form(value), "write it as `- item` lines");
            }
        });
        return found;
    }

    private Optional<String> text(String where, Node value) {
        if (value instanceof ScalarNode scalar && isText(value.getTag())) {
            return Optional.of(scalar.getValue());
        }
        document.error(
                value,
                where + " must be text, not " + form(value),
                value instanceof ScalarNode ? "put it in quotes" : "");
        return Optional.empty();
    }

    private static boolean isText(Tag tag) {
        return tag.equals(Tag.STR) || tag.equals(Tag.TIMESTAMP);
    }

    private Optional<Node> find(String name) {
        return Optional.ofNullable(values.get(name)).filter(value -> !isNull(value));
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }

    private String describe() {
        return path.isEmpty() ? "the object" : path;
    }

    private static String form(Node node) {
        return switch (node) {
            case MappingNode _ -> "a mapping";
            case SequenceNode _ -> "a list";
            case ScalarNode scalar when scalar.getTag().equals(Tag.INT) -> "the number " + scalar.getValue();
            case ScalarNode scalar when scalar.getTag().equals(Tag.BOOL) -> "the boolean " + scalar.getValue();
            case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> "nothing";
            case ScalarNode scalar -> "\"" + scalar.getValue() + "\"";
            default -> "something else";
        };
    }

    /// The words of an enum, as the API writes them.
    static <E extends Enum<E>> Map<String, E> words(E[] all) {
        return Arrays.stream(all).collect(Collectors.toMap(Enum::name, Function.identity()));
    }
}
