package dev.culvert.hbone.codec;

/// The streams that we have reset last: what their peer had sent before it knew is to be ignored (RFC 9113 §5.1).
/// Confined to the connection's loop.
final class RecentResets {
    private static final int SIZE = 128;

    private final int[] ids = new int[SIZE];
    private int next;

    void add(int streamId) {
        ids[next] = streamId;
        next = (next + 1) % SIZE;
    }

    boolean contains(int streamId) {
        for (var id : ids) {
            if (id == streamId) {
                return true;
            }
        }
        return false;
    }
}
