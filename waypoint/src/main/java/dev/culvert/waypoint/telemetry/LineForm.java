package dev.culvert.waypoint.telemetry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.telemetry.LogFormat;
import dev.culvert.mesh.model.telemetry.LogFormat.Piece;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a line of an access log looks. Immutable. Sources of the default ones: Envoy's `EnvoyTextLogFormat` and
/// `EnvoyJsonLogFormat` in Istio's `accesslog.go`.
sealed interface LineForm {
    ObjectMapper JSON = new ObjectMapper();
    String DEFAULT_JSON =
            "{\"start_time\":\"%START_TIME%\",\"route_name\":\"%ROUTE_NAME%\",\"method\":\"%REQ(:METHOD)%\","
                    + "\"path\":\"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%\",\"protocol\":\"%PROTOCOL%\","
                    + "\"response_code\":\"%RESPONSE_CODE%\",\"response_flags\":\"%RESPONSE_FLAGS%\","
                    + "\"response_code_details\":\"%RESPONSE_CODE_DETAILS%\","
                    + "\"connection_termination_details\":\"%CONNECTION_TERMINATION_DETAILS%\","
                    + "\"bytes_received\":\"%BYTES_RECEIVED%\",\"bytes_sent\":\"%BYTES_SENT%\",\"duration\":\"%DURATION%\","
                    + "\"upstream_service_time\":\"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%\","
                    + "\"x_forwarded_for\":\"%REQ(X-FORWARDED-FOR)%\",\"user_agent\":\"%REQ(USER-AGENT)%\","
                    + "\"request_id\":\"%REQ(X-REQUEST-ID)%\",\"authority\":\"%REQ(:AUTHORITY)%\","
                    + "\"upstream_host\":\"%UPSTREAM_HOST%\",\"upstream_cluster\":\"%UPSTREAM_CLUSTER_RAW%\","
                    + "\"upstream_local_address\":\"%UPSTREAM_LOCAL_ADDRESS%\","
                    + "\"downstream_local_address\":\"%DOWNSTREAM_LOCAL_ADDRESS%\","
                    + "\"downstream_remote_address\":\"%DOWNSTREAM_REMOTE_ADDRESS%\","
                    + "\"requested_server_name\":\"%REQUESTED_SERVER_NAME%\","
                    + "\"upstream_transport_failure_reason\":\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\"}";
    LineForm TEXT = new Text(LogFormat.DEFAULT);
    LineForm OBJECT = json(DEFAULT_JSON);

    /// Without its newline.
    String line(AccessEntry entry);

    /// @throws IllegalArgumentException if it is no format
    static LineForm text(String format) {
        return format.isEmpty() ? TEXT : new Text(LogFormat.parse(format));
    }

    /// @throws IllegalArgumentException if it is no JSON object of formats
    static LineForm json(String object) {
        if (object.isEmpty()) {
            return OBJECT;
        }
        try {
            if (JSON.readTree(object) instanceof ObjectNode fields) {
                return new Fields(Fields.members(fields));
            }
            throw new IllegalArgumentException("it is no JSON object");
        } catch (JsonProcessingException broken) {
            throw new IllegalArgumentException("it is no JSON object: " + broken.getOriginalMessage(), broken);
        }
    }

    /// One after the other.
    final class Text implements LineForm {
        private final List<Part> parts;

        private interface Part {
            void add(AccessEntry entry, StringBuilder to);
        }

        Text(LogFormat format) {
            parts = format.pieces().stream().map(Text::part).toList();
        }

        private static Part part(Piece piece) {
            return switch (piece) {
                case LogFormat.Text(var text) -> (_, to) -> to.append(text);
                case LogFormat.Operator said -> {
                    var operator = Operators.of(said);
                    yield (entry, to) -> {
                        var value = operator.of(entry);
                        to.append(value == null ? "-" : word(value.toString()));
                    };
                }
            };
        }

        @Override
        public String line(AccessEntry entry) {
            var line = new StringBuilder(400);
            parts.forEach(part -> part.add(entry, line));
            return line.toString();
        }

        /// What a stranger sends can neither end a line nor a quoted word.
        private static String word(String text) {
            for (var i = 0; i < text.length(); i++) {
                if (text.charAt(i) < ' ' || text.charAt(i) == '"' || text.charAt(i) == 127) {
                    return escaped(text);
                }
            }
            return text;
        }

        private static String escaped(String text) {
            var safe = new StringBuilder(text.length() + 16);
            text.chars().forEach(c -> {
                if (c == '"') {
                    safe.append("\\\"");
                } else if (c < ' ' || c == 127) {
                    safe.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
                } else {
                    safe.append((char) c);
                }
            });
            return safe.toString();
        }
    }

    /// A JSON object. A text that is one operator alone has the operator's type, or is null.
    final class Fields implements LineForm {
        private final List<Member> members;

        private record Member(String name, Value value) {}

        private interface Value {
            @Nullable
            Object of(AccessEntry entry);
        }

        private Fields(List<Member> members) {
            this.members = members;
        }

        private static List<Member> members(ObjectNode object) {
            return object.properties().stream()
                    .map(property -> new Member(property.getKey(), value(property.getValue())))
                    .toList();
        }

        private static Value value(JsonNode node) {
            if (node instanceof ObjectNode object) {
                var inner = new Fields(members(object));
                return inner::all;
            }
            if (!node.isTextual()) {
                return _ -> node;
            }
            var format = LogFormat.parse(node.asText());
            if (format.pieces().size() == 1 && format.pieces().getFirst() instanceof LogFormat.Operator alone) {
                return Operators.of(alone)::of;
            }
            var text = new Text(format);
            return text::line;
        }

        private Map<String, @Nullable Object> all(AccessEntry entry) {
            var all = new LinkedHashMap<String, @Nullable Object>();
            members.forEach(member -> all.put(member.name, member.value.of(entry)));
            return all;
        }

        @Override
        public String line(AccessEntry entry) {
            try {
                return JSON.writeValueAsString(all(entry));
            } catch (JsonProcessingException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }
}
