package dev.culvert.agent.event;

import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// One request of HTTP/1.1 (RFC 9112), as much of it as a CNI plugin uses: a head, and a
/// JSON object with its length.
record HttpRequest(String method, String path, Json.Obj body) {
    private static final byte[] END = {'\r', '\n', '\r', '\n'};

    /// @throws EventException it is not such a request, or too large
    static HttpRequest read(ReadableByteChannel from, EventLimits limits) throws IOException, EventException {
        var received = new ByteArrayOutputStream();
        var end = -1;
        while (end < 0) {
            if (received.size() > limits.headBytes()) {
                throw new EventException(431, "the head is longer than " + limits.headBytes() + " bytes");
            }
            more(from, received, 4096);
            end = indexOfEnd(received.toByteArray());
        }
        var head = received.toString(StandardCharsets.ISO_8859_1).substring(0, end);
        var lines = Arrays.asList(head.split("\r\n", -1));
        var start = lines.getFirst().split(" ", -1);
        if (start.length != 3 || !start[2].startsWith("HTTP/1.")) {
            throw new EventException(400, "not HTTP/1.1");
        }
        var length = length(lines.subList(1, lines.size()), limits);
        while (received.size() < end + END.length + length) {
            more(from, received, end + END.length + length - received.size());
        }
        var bytes = received.toByteArray();
        return new HttpRequest(
                start[0], start[1], object(Arrays.copyOfRange(bytes, end + END.length, end + END.length + length)));
    }

    private static Json.Obj object(byte[] body) throws EventException {
        try {
            return JsonReader.readObject(body);
        } catch (JsonException e) {
            throw new EventException(400, "the body is not a request of a CNI plugin: " + e.getMessage());
        }
    }

    private static void more(ReadableByteChannel from, ByteArrayOutputStream to, int most) throws IOException {
        var buffer = ByteBuffer.allocate(Math.min(most, 1 << 16));
        if (from.read(buffer) < 0) {
            throw new EOFException("it hung up within its request");
        }
        to.write(buffer.array(), 0, buffer.position());
    }

    private static int indexOfEnd(byte[] bytes) {
        for (var i = 0; i + END.length <= bytes.length; i++) {
            if (Arrays.equals(bytes, i, i + END.length, END, 0, END.length)) {
                return i;
            }
        }
        return -1;
    }

    private static int length(List<String> fields, EventLimits limits) throws EventException {
        var length = -1;
        for (var field : fields) {
            var colon = field.indexOf(':');
            var name = colon < 0 ? "" : field.substring(0, colon).toLowerCase(Locale.ROOT);
            var value = field.substring(colon + 1).strip();
            if (name.equals("transfer-encoding") || (name.equals("content-length") && length >= 0)) {
                throw new EventException(400, "a body needs one Content-Length and no Transfer-Encoding");
            }
            if (name.equals("content-length")) {
                length = digits(value, limits);
            }
        }
        return Math.max(0, length);
    }

    private static int digits(String value, EventLimits limits) throws EventException {
        if (value.isEmpty() || !value.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new EventException(400, "Content-Length is not a number");
        }
        if (value.length() > 9 || Integer.parseInt(value) > limits.bodyBytes()) {
            throw new EventException(413, "the body is longer than " + limits.bodyBytes() + " bytes");
        }
        return Integer.parseInt(value);
    }
}
