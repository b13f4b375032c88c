package dev.culvert.hbone.codec;

/// Bounds frames that cost us work and are of no use ([PeerLimit#FRAMES_WITHOUT_USE]): a burst, then a rate. Confined
/// to the connection's loop.
final class FloodGuard {
    private static final int BURST = 2_000;
    private static final long NANOS_PER_FRAME = 1_000_000;

    private long allowance = BURST;
    private long lastNanos;
    private boolean begun;

    /// @param nowNanos of the loop's clock
    void count(long nowNanos, String what) throws H2Exception {
        if (!begun) {
            begun = true;
            lastNanos = nowNanos;
        }
        var earned = (nowNanos - lastNanos) / NANOS_PER_FRAME;
        if (earned > 0) {
            allowance = Math.min(BURST, allowance + earned);
            lastNanos += earned * NANOS_PER_FRAME;
        }
        if (--allowance < 0) {
            throw new H2Exception(
                    PeerLimit.FRAMES_WITHOUT_USE,
                    ErrorCode.ENHANCE_YOUR_CALM,
                    "too many frames without use, last " + what);
        }
    }

    /// The peer's frames turned out to be of use.
    void forgive(int frames) {
        allowance = Math.min(BURST, allowance + frames);
    }
}
