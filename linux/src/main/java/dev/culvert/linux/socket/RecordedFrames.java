package dev.culvert.linux.socket;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Keeps captured frames, up to a number of bytes, to be searched. Thread-safe.
public final class RecordedFrames implements Consumer<byte[]> {
    private final long maxBytes;
    private final List<byte[]> frames = new ArrayList<>();
    private long bytes;
    private long notKept;

    public RecordedFrames(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    @Override
    public synchronized void accept(byte[] frame) {
        if (bytes + frame.length > maxBytes) {
            notKept++;
            return;
        }
        bytes += frame.length;
        frames.add(frame);
    }

    /// Whether any frame has `canary` in clear. A canary that TCP split over two frames is not found: keep it
    /// short and send it in one write.
    /// @throws IllegalStateException it was not found, but not every frame was kept, so that nobody can tell
    public synchronized boolean contains(byte[] canary) {
        for (var frame : frames) {
            if (indexOf(frame, canary) >= 0) {
                return true;
            }
        }
        if (notKept > 0) {
            throw new IllegalStateException(notKept + " frames were not kept; the limit is " + maxBytes + " bytes");
        }
        return false;
    }

    private static int indexOf(byte[] frame, byte[] canary) {
        for (var at = 0; at <= frame.length - canary.length; at++) {
            var matched = 0;
            while (matched < canary.length && frame[at + matched] == canary[matched]) {
                matched++;
            }
            if (matched == canary.length) {
                return at;
            }
        }
        return -1;
    }

    public synchronized List<byte[]> frames() {
        return List.copyOf(frames);
    }

    /// Of all frames that were kept.
    public synchronized long bytes() {
        return bytes;
    }

    public synchronized int count() {
        return frames.size();
    }

    /// Forgets all frames.
    public synchronized void clear() {
        frames.clear();
        bytes = 0;
        notKept = 0;
    }
}
