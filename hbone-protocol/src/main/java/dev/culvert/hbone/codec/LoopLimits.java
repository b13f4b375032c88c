package dev.culvert.hbone.codec;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/// What one loop keeps of all its peers together: how many received but undelivered bytes it holds before connections
/// get their credit back only on delivery, and how often a peer reached a limit. Confined to the loop but for
/// [#count].
public final class LoopLimits {
    private final long receivedBytes;
    private final Map<PeerLimit, LongAdder> reached = new EnumMap<>(PeerLimit.class);
    private long heldBytes;

    /// @param receivedBytes that may be held before credit waits for delivery
    public LoopLimits(long receivedBytes) {
        this.receivedBytes = receivedBytes;
        for (var limit : PeerLimit.values()) {
            reached.put(limit, new LongAdder());
        }
    }

    boolean received(int bytes) {
        var had = heldBytes <= receivedBytes;
        heldBytes += bytes;
        var room = heldBytes <= receivedBytes;
        if (had && !room) {
            reached(PeerLimit.RECEIVED_BYTES);
        }
        return room;
    }

    void delivered(int bytes) {
        heldBytes -= bytes;
    }

    public long heldBytes() {
        return heldBytes;
    }

    public void reached(PeerLimit limit) {
        adder(limit).increment();
    }

    /// How often, since the start. From any thread.
    public long count(PeerLimit limit) {
        return adder(limit).sum();
    }

    private LongAdder adder(PeerLimit limit) {
        return Objects.requireNonNull(reached.get(limit));
    }
}
