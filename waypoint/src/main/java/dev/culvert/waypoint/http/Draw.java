package dev.culvert.waypoint.http;

import java.util.concurrent.ThreadLocalRandom;

/// Chance.
final class Draw {
    private static final int MILLION = 1_000_000;

    private Draw() {}

    /// @param share parts of a million
    static boolean hits(int share) {
        return share > 0 && ThreadLocalRandom.current().nextInt(MILLION) < share;
    }
}
