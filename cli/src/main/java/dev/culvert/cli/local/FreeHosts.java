package dev.culvert.cli.local;

import java.util.BitSet;

/// The last numbers of a node's addresses. What has become free is taken again as late as possible, because some may
/// still talk to who had it.
final class FreeHosts {
    private static final int FIRST = 3;
    static final int LAST = 250;

    private final BitSet taken = new BitSet();
    private int newest = FIRST - 1;

    /// @throws MissingException if all are taken
    int take() throws MissingException {
        var next = taken.nextClearBit(newest + 1);
        if (next > LAST) {
            next = taken.nextClearBit(FIRST);
        }
        if (next > LAST) {
            throw new MissingException("all " + (LAST - FIRST + 1) + " addresses of the node are taken");
        }
        taken.set(next);
        newest = next;
        return next;
    }

    void free(int host) {
        taken.clear(host);
    }
}
