package dev.culvert.ztunnel.relay;

/// The sizes of buffers handed to a channel that it has not written yet, oldest first; allocates only to grow.
final class PendingWrites {
    private int[] sizes = new int[8];
    private int head;
    private int count;
    private int unflushed;

    void add(int bytes) {
        if (count == sizes.length) {
            grow();
        }
        sizes[(head + count++) & (sizes.length - 1)] = bytes;
        unflushed++;
    }

    /// The channel is about to flush all that was added.
    void flushing() {
        unflushed = 0;
    }

    private void grow() {
        var larger = new int[sizes.length * 2];
        for (var i = 0; i < count; i++) {
            larger[i] = sizes[(head + i) & (sizes.length - 1)];
        }
        sizes = larger;
        head = 0;
    }

    /// The channel still holds `left` flushed buffers: returns the bytes of all that were flushed before them.
    int settle(int left) {
        var bytes = 0;
        while (count > left + unflushed) {
            bytes += sizes[head];
            head = (head + 1) & (sizes.length - 1);
            count--;
        }
        return bytes;
    }
}
