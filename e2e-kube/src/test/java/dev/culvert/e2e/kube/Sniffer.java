package dev.culvert.e2e.kube;

import dev.culvert.linux.socket.PacketCapture;
import dev.culvert.linux.socket.RecordedFrames;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// A program of its own, because it runs in a node's network: `Sniffer INTERFACE WORD`. Says `ready`, records
/// until its input ends, and says how many frames it saw and whether one of them had the word in clear.
public final class Sniffer {
    private static final long MOST_BYTES = 256L << 20;

    private Sniffer() {}

    public static void main(String[] arguments) throws Exception {
        var frames = new RecordedFrames(MOST_BYTES);
        try (var capture = PacketCapture.open(arguments[0])) {
            capture.start(frames);
            System.out.println("ready");
            System.in.transferTo(OutputStream.nullOutputStream());
            if (!capture.awaitDrained(Duration.ofSeconds(30)) || capture.dropped() > 0) {
                throw new IllegalStateException("frames were lost: " + capture.dropped());
            }
        }
        System.out.println("frames " + frames.count());
        System.out.println("clear " + frames.contains(arguments[1].getBytes(StandardCharsets.UTF_8)));
    }
}
