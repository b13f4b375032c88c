package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;

/// The lines that answer one request. Confined to the request's thread.
final class Answers {
    private final WritableByteChannel channel;
    private final ObjectMapper json;

    Answers(WritableByteChannel channel, ObjectMapper json) {
        this.channel = channel;
        this.json = json;
    }

    ObjectNode object() {
        return json.createObjectNode();
    }

    /// A line that others will follow.
    void partial(ObjectNode answer) throws IOException {
        write(answer);
    }

    /// The last line.
    void last(ObjectNode answer) throws IOException {
        if (!answer.has("error")) {
            answer.put("ok", true);
        }
        write(answer);
    }

    private void write(ObjectNode answer) throws IOException {
        var line = ByteBuffer.wrap((json.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
        while (line.hasRemaining()) {
            channel.write(line);
        }
    }
}
