package dev.culvert.json;

import java.util.List;
import java.util.Map;

/// Writes JSON: on one line, or over lines with two spaces a level.
public final class JsonWriter {
    private final StringBuilder out = new StringBuilder();
    private final boolean lines;

    private JsonWriter(boolean lines) {
        this.lines = lines;
    }

    /// On one line.
    public static String write(Json value) {
        var writer = new JsonWriter(false);
        writer.value(value, 0);
        return writer.out.toString();
    }

    static String write(Map<String, Json> members) {
        var writer = new JsonWriter(false);
        writer.object(members, 0);
        return writer.out.toString();
    }

    /// Over lines, with one at the end.
    public static String pretty(Json value) {
        var writer = new JsonWriter(true);
        writer.value(value, 0);
        return writer.out.append('\n').toString();
    }

    private void value(Json value, int level) {
        if (value instanceof Json.Obj object) {
            object(object.members(), level);
        } else if (value instanceof Json.Arr(var items)) {
            list(items, level);
        } else if (value instanceof Json.Str(var text)) {
            string(text);
        } else if (value instanceof Json.Num(var text)) {
            out.append(text);
        } else if (value instanceof Json.Bool(var truth)) {
            out.append(truth);
        } else {
            out.append("null");
        }
    }

    private void object(Map<String, Json> members, int level) {
        out.append('{');
        var first = true;
        for (var member : members.entrySet()) {
            separate(first, level + 1);
            first = false;
            string(member.getKey());
            out.append(lines ? ": " : ":");
            value(member.getValue(), level + 1);
        }
        end(first, level);
        out.append('}');
    }

    private void list(List<Json> items, int level) {
        out.append('[');
        var first = true;
        for (var item : items) {
            separate(first, level + 1);
            first = false;
            value(item, level + 1);
        }
        end(first, level);
        out.append(']');
    }

    private void separate(boolean first, int level) {
        if (!first) {
            out.append(',');
        }
        line(level);
    }

    private void end(boolean empty, int level) {
        if (!empty) {
            line(level);
        }
    }

    private void line(int level) {
        if (lines) {
            out.append('\n').repeat("  ", level);
        }
    }

    private void string(String text) {
        out.append('"');
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20 || Character.isSurrogate(c)) {
                        escape(c);
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private void escape(char c) {
        out.append("\\u");
        for (var shift = 12; shift >= 0; shift -= 4) {
            out.append(Character.forDigit(c >> shift & 0xf, 16));
        }
    }
}
