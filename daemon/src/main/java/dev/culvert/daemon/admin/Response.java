package dev.culvert.daemon.admin;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// What a page answers.
/// @param compress whether it is sent compressed to who takes that
public record Response(int status, String contentType, Body body, boolean compress) {
    /// Writes the answer's bytes; big dumps stream and are never whole in memory.
    @FunctionalInterface
    public interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    public static Response text(int status, String text) {
        return of(status, "text/plain", text);
    }

    public static Response json(String json) {
        return of(200, "application/json", json);
    }

    public static Response of(int status, String contentType, String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        return new Response(status, contentType, out -> out.write(bytes), false);
    }

    /// @param body called once, on the request's own virtual thread
    public static Response stream(String contentType, Body body) {
        return new Response(200, contentType, body, false);
    }

    /// This answer, compressed for who takes that.
    public Response compressible() {
        return new Response(status, contentType, body, true);
    }
}
