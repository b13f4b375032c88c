package dev.culvert.waypoint.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import dev.culvert.protos.waypoint.JwtRule;
import java.util.List;

/// A message as JSON, for people: what is set, in the order of its fields. Keys of tokens are not shown.
final class ProtoJson {
    private static final int HIDDEN = JwtRule.JWKS_FIELD_NUMBER;

    private ProtoJson() {}

    static ObjectNode of(Message message) {
        var json = JsonNodeFactory.instance.objectNode();
        message.getAllFields().forEach((field, value) -> {
            var secret = message instanceof JwtRule && field.getNumber() == HIDDEN;
            json.set(field.getJsonName(), secret ? text("***") : value(field, value));
        });
        return json;
    }

    private static JsonNode text(String text) {
        return JsonNodeFactory.instance.textNode(text);
    }

    private static JsonNode value(FieldDescriptor field, Object value) {
        if (field.isMapField()) {
            var json = JsonNodeFactory.instance.objectNode();
            for (var entry : (List<?>) value) {
                var pair = (MapEntry<?, ?>) entry;
                json.set(String.valueOf(pair.getKey()), one(pair.getValue()));
            }
            return json;
        }
        if (!field.isRepeated()) {
            return one(value);
        }
        var json = JsonNodeFactory.instance.arrayNode();
        ((List<?>) value).forEach(item -> json.add(one(item)));
        return json;
    }

    private static JsonNode one(Object value) {
        return switch (value) {
            case Duration time ->
                text(java.time.Duration.ofSeconds(time.getSeconds(), time.getNanos())
                                .toMillis() + "ms");
            case Message message -> of(message);
            case EnumValueDescriptor constant -> text(constant.getName());
            case ByteString bytes -> text(bytes.toStringUtf8());
            case Boolean truth -> JsonNodeFactory.instance.booleanNode(truth);
            case Long number -> JsonNodeFactory.instance.numberNode(number);
            case Integer number -> JsonNodeFactory.instance.numberNode(Integer.toUnsignedLong(number));
            case Double number -> JsonNodeFactory.instance.numberNode(number);
            default -> text(value.toString());
        };
    }
}
