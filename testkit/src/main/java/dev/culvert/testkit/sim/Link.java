package dev.culvert.testkit.sim;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The wire between two nodes, or within one. Guarded by the network's lock.
final class Link {
    private final List<SimTap> taps = new ArrayList<>();
    private final Set<Runnable> held = new LinkedHashSet<>();
    private boolean down;
    private long delayNanos;

    boolean isDown() {
        return down;
    }

    long delayNanos() {
        return delayNanos;
    }

    void delay(Duration oneWay) {
        delayNanos = oneWay.toNanos();
    }

    void cut() {
        down = true;
    }

    /// What TCP would send again is run once the link is up.
    void hold(Runnable again) {
        held.add(again);
    }

    void drop(Runnable again) {
        held.remove(again);
    }

    void heal() {
        down = false;
        delayNanos = 0;
        var again = List.copyOf(held);
        held.clear();
        again.forEach(Runnable::run);
    }

    void tap(SimTap tap) {
        taps.add(tap);
    }

    void crossed(Object direction, ByteBuffer data) {
        taps.forEach(tap -> tap.crossed(direction, data));
    }
}
