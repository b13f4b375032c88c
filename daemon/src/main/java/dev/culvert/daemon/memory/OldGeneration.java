package dev.culvert.daemon.memory;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryNotificationInfo;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Collects the heap's old generation when it has grown by half, and by some MiB, since the last time. The serial
/// collector would let it grow to the heap's limit first: what is small in use would be large in memory.
public final class OldGeneration implements NotificationListener {
    private static final Logger LOG = LoggerFactory.getLogger("memory");
    private static final long HEADROOM_BYTES = 8 << 20;

    private final MemoryPoolMXBean pool;
    private final long headroomBytes;
    private final AtomicInteger collections = new AtomicInteger();

    OldGeneration(MemoryPoolMXBean pool, long headroomBytes) {
        this.pool = pool;
        this.headroomBytes = headroomBytes;
    }

    /// From now on, to the end of the process; does nothing with a collector whose old generation has no threshold.
    public static void keepSmall() {
        ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(OldGeneration::isOne)
                .findFirst()
                .ifPresent(pool -> new OldGeneration(pool, HEADROOM_BYTES).begin());
    }

    static boolean isOne(MemoryPoolMXBean pool) {
        return pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported();
    }

    void begin() {
        arm();
        memory().addNotificationListener(this, null, null);
    }

    static NotificationEmitter memory() {
        return (NotificationEmitter) ManagementFactory.getMemoryMXBean();
    }

    int collections() {
        return collections.get();
    }

    @Override
    @SuppressWarnings("ExplicitGarbageCollection") // what this is for
    public void handleNotification(Notification notification, @Nullable Object handback) {
        if (!notification.getType().equals(MemoryNotificationInfo.MEMORY_THRESHOLD_EXCEEDED)) {
            return;
        }
        var before = pool.getUsage().getUsed();
        var start = System.nanoTime();
        System.gc();
        arm();
        collections.incrementAndGet();
        LOG.debug(
                "old generation collected in {} ms: from {} to {} KiB",
                (System.nanoTime() - start) / 1_000_000,
                before >> 10,
                pool.getUsage().getUsed() >> 10);
    }

    private void arm() {
        var usage = pool.getUsage();
        var next = usage.getUsed() + Math.max(headroomBytes, usage.getUsed() / 2);
        pool.setUsageThreshold(usage.getMax() < 0 ? next : Math.min(next, usage.getMax()));
    }
}
