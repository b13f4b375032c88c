package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.Set;

/// YAML as a tree in which the tags of string matches show: `!Exact x` is the object `{Exact: x}`. Jackson's own trees
/// forget tags.
final class LocalYaml {
    private static final Set<String> TAGS = Set.of("Exact", "Prefix", "Suffix", "Presence");
    private static final ObjectMapper SCALARS = new ObjectMapper();
    /// Of more than one document only the first counts, as for all readers of configuration.
    private static final YAMLFactory YAML = new YAMLFactory();

    private LocalYaml() {}

    static JsonNode read(String text) throws IOException {
        try (var parser = YAML.createParser(text)) {
            return parser.nextToken() == null ? JsonNodeFactory.instance.objectNode() : node(parser);
        }
    }

    private static JsonNode node(YAMLParser parser) throws IOException {
        var tag = parser.getTypeId();
        var plain = untagged(parser);
        if (tag == null || !TAGS.contains(tag)) {
            return plain;
        }
        return JsonNodeFactory.instance.objectNode().set(tag, plain);
    }

    private static JsonNode untagged(YAMLParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            return object(parser);
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            return SCALARS.readTree(parser);
        }
        var array = JsonNodeFactory.instance.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(node(parser));
        }
        return array;
    }

    private static ObjectNode object(YAMLParser parser) throws IOException {
        var object = JsonNodeFactory.instance.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            var name = parser.currentName();
            parser.nextToken();
            if (object.replace(name, node(parser)) != null) {
                throw new IOException("line " + parser.currentLocation().getLineNr() + ": key '" + name + "' twice");
            }
        }
        return object;
    }
}
