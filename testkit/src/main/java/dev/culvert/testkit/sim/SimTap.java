package dev.culvert.testkit.sim;

import dev.culvert.testkit.backend.Tap;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/// Keeps the bytes of each direction of each connection, so that a packet's border hides nothing.
/// Thread-safe.
final class SimTap implements Tap {
    private static final long MAX_BYTES = 64 << 20;

    private final Map<Object, ByteArrayOutputStream> streams = new HashMap<>();
    private long bytes;
    private boolean closed;

    synchronized void crossed(Object direction, ByteBuffer data) {
        if (closed) {
            return;
        }
        bytes += data.remaining();
        if (bytes <= MAX_BYTES) {
            var copy = new byte[data.remaining()];
            data.get(data.position(), copy);
            streams.computeIfAbsent(direction, _ -> new ByteArrayOutputStream()).writeBytes(copy);
        }
    }

    @Override
    public synchronized boolean saw(byte[] canary) {
        for (var stream : streams.values()) {
            if (indexOf(stream.toByteArray(), canary) >= 0) {
                return true;
            }
        }
        if (bytes > MAX_BYTES) {
            throw new IllegalStateException("only the first " + MAX_BYTES + " of " + bytes + " bytes were kept");
        }
        return false;
    }

    private static int indexOf(byte[] in, byte[] word) {
        for (var at = 0; at <= in.length - word.length; at++) {
            var matched = 0;
            while (matched < word.length && in[at + matched] == word[matched]) {
                matched++;
            }
            if (matched == word.length) {
                return at;
            }
        }
        return -1;
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void close() {
        closed = true;
        streams.clear();
    }
}
