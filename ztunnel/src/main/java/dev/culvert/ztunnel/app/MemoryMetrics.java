package dev.culvert.ztunnel.app;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;

/// What the process holds in memory, asked of the JVM and of Netty's pool when somebody reads the page.
final class MemoryMetrics {
    private MemoryMetrics() {}

    static void register(MeterRegistry registry) {
        Gauge.builder("culvert_heap_used_bytes", MemoryMetrics::heapUsed).register(registry);
        Gauge.builder("culvert_heap_live_bytes", MemoryMetrics::heapLive).register(registry);
        Gauge.builder("culvert_direct_memory_bytes", MemoryMetrics::direct).register(registry);
        Gauge.builder("culvert_direct_memory_used_bytes", PooledByteBufAllocator.DEFAULT::pinnedDirectMemory)
                .register(registry);
    }

    private static double heapUsed() {
        var runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    /// The old generation, because only a full collection empties it; the young one is a constant, and small.
    private static double heapLive() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported())
                .map(MemoryPoolMXBean::getCollectionUsage)
                .mapToDouble(usage -> usage == null ? 0 : usage.getUsed())
                .sum();
    }

    /// Netty's pool included: it makes its chunks as the JDK's direct buffers (`io.netty.maxDirectMemory=0`).
    private static double direct() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToDouble(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
