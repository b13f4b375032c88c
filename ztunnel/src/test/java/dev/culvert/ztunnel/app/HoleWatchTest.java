package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HoleWatchTest {
    @Test
    void lookingTakesATwentiethOfACoreAtMostAndIsNeverPutOffForLong() {
        assertThat(HoleWatch.rest(Duration.ofNanos(100_000))).isEqualTo(Duration.ofNanos(1_900_000));
        assertThat(HoleWatch.rest(Duration.ofMillis(200))).isEqualTo(Duration.ofMillis(3800));
        assertThat(HoleWatch.rest(Duration.ofMinutes(1))).isEqualTo(Duration.ofSeconds(10));
    }
}
