package dev.culvert.json;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;

/// Reads one JSON text (RFC 8259): valid UTF-8, nothing behind the value, no name twice in one object.
public final class JsonReader {
    /// The longest text, in bytes.
    public static final int MAX_BYTES = 1 << 20;
    /// The deepest nesting.
    public static final int MAX_DEPTH = 64;

    private final String text;
    private int at;

    private JsonReader(String text) {
        this.text = text;
    }

    /// @throws JsonException it is too long, not UTF-8, or not JSON
    public static Json read(byte[] bytes) throws JsonException {
        if (bytes.length > MAX_BYTES) {
            throw new JsonException("longer than " + MAX_BYTES + " bytes");
        }
        try {
            var decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return read(decoded.toString());
        } catch (CharacterCodingException e) {
            throw new JsonException("not UTF-8");
        }
    }

    /// @throws JsonException it is too long, or not JSON
    public static Json read(String text) throws JsonException {
        if (text.length() > MAX_BYTES) {
            throw new JsonException("longer than " + MAX_BYTES + " characters");
        }
        var reader = new JsonReader(text);
        var value = reader.value(0);
        reader.skipSpace();
        if (reader.at < text.length()) {
            throw reader.wrong("something follows the value");
        }
        return value;
    }

    /// @throws JsonException it is too long, not UTF-8, or not a JSON object
    public static Json.Obj readObject(byte[] bytes) throws JsonException {
        if (read(bytes) instanceof Json.Obj object) {
            return object;
        }
        throw new JsonException("not an object");
    }

    private Json value(int depth) throws JsonException {
        if (depth > MAX_DEPTH) {
            throw wrong("nested deeper than " + MAX_DEPTH);
        }
        skipSpace();
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> list(depth);
            case '"' -> new Json.Str(string());
            case 't' -> word("true", new Json.Bool(true));
            case 'f' -> word("false", new Json.Bool(false));
            case 'n' -> word("null", new Json.Null());
            default -> number();
        };
    }

    private Json object(int depth) throws JsonException {
        var start = at++;
        var members = new LinkedHashMap<String, Json>();
        skipSpace();
        if (peek() != '}') {
            do {
                skipSpace();
                if (peek() != '"') {
                    throw wrong("a member's name must begin with a quote");
                }
                var nameAt = at;
                var name = string();
                skipSpace();
                expect(':');
                if (members.putIfAbsent(name, value(depth + 1)) != null) {
                    at = nameAt;
                    throw wrong("a name stands twice in one object");
                }
                skipSpace();
            } while (another('}'));
        } else {
            at++;
        }
        return new Json.Obj(members, new Json.Span(text, start, at));
    }

    private Json list(int depth) throws JsonException {
        at++;
        var items = new ArrayList<Json>();
        skipSpace();
        if (peek() != ']') {
            do {
                items.add(value(depth + 1));
                skipSpace();
            } while (another(']'));
        } else {
            at++;
        }
        return new Json.Arr(items);
    }

    /// Whether a comma follows, not the end.
    private boolean another(char end) throws JsonException {
        var c = peek();
        if (c != ',' && c != end) {
            throw wrong("expected , or " + end);
        }
        at++;
        return c == ',';
    }

    private String string() throws JsonException {
        at++;
        var start = at;
        while (true) {
            var c = peek();
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (c == '\\') {
                return escapedString(start);
            }
            plain(c);
        }
    }

    private String escapedString(int start) throws JsonException {
        var result = new StringBuilder(text.substring(start, at));
        while (true) {
            var c = peek();
            if (c == '"') {
                at++;
                return result.toString();
            }
            if (c == '\\') {
                at++;
                result.append(escaped());
            } else {
                result.append(c);
                plain(c);
            }
        }
    }

    private void plain(char c) throws JsonException {
        if (c < 0x20) {
            throw wrong("a control character in a string");
        }
        at++;
    }

    private char escaped() throws JsonException {
        var c = peek();
        at++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw wrong("an unknown escape");
        };
    }

    private char unicode() throws JsonException {
        var code = 0;
        for (var i = 0; i < 4; i++) {
            var c = peek();
            var digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("\\u needs four hexadecimal digits");
            }
            code = code << 4 | digit;
            at++;
        }
        return (char) code;
    }

    private Json word(String word, Json value) throws JsonException {
        if (!text.startsWith(word, at)) {
            throw wrong("not a value");
        }
        at += word.length();
        return value;
    }

    private Json number() throws JsonException {
        var start = at;
        if (peekOrEnd() == '-') {
            at++;
        }
        if (peekOrEnd() == '0') {
            at++;
        } else {
            digits();
        }
        if (peekOrEnd() == '.') {
            at++;
            digits();
        }
        if (peekOrEnd() == 'e' || peekOrEnd() == 'E') {
            at++;
            if (peekOrEnd() == '+' || peekOrEnd() == '-') {
                at++;
            }
            digits();
        }
        return new Json.Num(text.substring(start, at));
    }

    private void digits() throws JsonException {
        if (peekOrEnd() < '0' || peekOrEnd() > '9') {
            throw wrong("not a value");
        }
        while (peekOrEnd() >= '0' && peekOrEnd() <= '9') {
            at++;
        }
    }

    private void skipSpace() {
        while (at < text.length() && isSpace(text.charAt(at))) {
            at++;
        }
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }

    private void expect(char wanted) throws JsonException {
        if (peek() != wanted) {
            throw wrong("expected " + wanted);
        }
        at++;
    }

    private char peek() throws JsonException {
        if (at >= text.length()) {
            throw wrong("the text ends too early");
        }
        return text.charAt(at);
    }

    /// A character that is in no number at the end.
    private char peekOrEnd() {
        return at < text.length() ? text.charAt(at) : ' ';
    }

    private JsonException wrong(String what) {
        var line = 1;
        var column = 1;
        for (var i = 0; i < Math.min(at, text.length()); i++) {
            column++;
            if (text.charAt(i) == '\n') {
                line++;
                column = 1;
            }
        }
        return new JsonException("line " + line + ", column " + column + ": " + what);
    }
}
