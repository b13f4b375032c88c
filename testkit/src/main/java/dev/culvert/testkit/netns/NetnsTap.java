package dev.culvert.testkit.netns;

import dev.culvert.linux.socket.PacketCapture;
import dev.culvert.linux.socket.RecordedFrames;
import dev.culvert.testkit.backend.Tap;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;

/// Every frame that a node sends or receives on the wire. What TCP split over two frames is not found.
final class NetnsTap implements Tap {
    private static final long MAX_BYTES = 64 << 20;
    private static final Duration DRAIN = Duration.ofSeconds(10);

    private final PacketCapture capture;
    private final RecordedFrames frames;

    private NetnsTap(PacketCapture capture, RecordedFrames frames) {
        this.capture = capture;
        this.frames = frames;
    }

    static NetnsTap open(String device) throws IOException {
        var frames = new RecordedFrames(MAX_BYTES);
        return new NetnsTap(PacketCapture.open(device).start(frames), frames);
    }

    @Override
    public boolean saw(byte[] canary) throws IOException {
        drain();
        return frames.contains(canary);
    }

    private void drain() throws IOException {
        try {
            if (!capture.awaitDrained(DRAIN)) {
                throw new IllegalStateException(
                        "what crossed the wire was not read within " + DRAIN.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for captured frames");
        }
        var dropped = capture.dropped();
        if (dropped > 0) {
            throw new IllegalStateException("the kernel dropped " + dropped + " captured frames");
        }
    }

    @Override
    public long bytes() throws IOException {
        drain();
        return frames.bytes();
    }

    @Override
    public void close() throws IOException {
        capture.close();
    }
}
