package dev.culvert.json;

/// A text is not JSON, or not the JSON that was asked for; the message says where.
public final class JsonException extends Exception {
    public JsonException(String message) {
        super(message, null, false, false);
    }
}
