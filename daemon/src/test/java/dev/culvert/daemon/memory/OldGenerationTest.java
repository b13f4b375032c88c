package dev.culvert.daemon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class OldGenerationTest {
    private static final int MEBIBYTE = 1 << 20;

    /// Large arrays are old from the start, or soon; what happens next happens at some collection of the young ones.
    @Test
    @Timeout(120)
    void whatHasGrownOldIsCollectedAndThenMayGrowAgain() throws Exception {
        var pool = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(OldGeneration::isOne)
                .findFirst()
                .orElseThrow();
        var generation = new OldGeneration(pool, 8 * MEBIBYTE);
        generation.begin();
        try {
            for (var round = 1; round <= 2; round++) {
                var garbage = grow(generation, round);
                assertThat(garbage).isNotEmpty();
            }
        } finally {
            OldGeneration.memory().removeNotificationListener(generation);
            pool.setUsageThreshold(0);
        }
    }

    private static List<byte[]> grow(OldGeneration generation, int rounds) {
        var held = new ArrayList<byte[]>();
        while (generation.collections() < rounds) {
            IntStream.range(0, 4).forEach(_ -> held.add(new byte[8 * MEBIBYTE]));
            if (held.size() > 32) {
                held.clear();
            }
            IntStream.range(0, 64).forEach(_ -> assertThat(new byte[MEBIBYTE]).isNotEmpty());
        }
        return new ArrayList<>(List.of(new byte[1]));
    }
}
