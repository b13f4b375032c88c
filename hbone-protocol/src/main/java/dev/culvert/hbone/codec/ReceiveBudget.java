package dev.culvert.hbone.codec;

/// How many received but undelivered bytes a loop holds before connections get their credit back only on delivery.
/// Confined to one loop.
public final class ReceiveBudget {
    private final long limitBytes;
    private long heldBytes;
    private long timesExceeded;

    public ReceiveBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    boolean received(int bytes) {
        heldBytes += bytes;
        var room = heldBytes <= limitBytes;
        if (!room) {
            timesExceeded++;
        }
        return room;
    }

    void delivered(int bytes) {
        heldBytes -= bytes;
    }

    public long heldBytes() {
        return heldBytes;
    }

    public long timesExceeded() {
        return timesExceeded;
    }
}
