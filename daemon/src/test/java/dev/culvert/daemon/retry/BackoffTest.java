package dev.culvert.daemon.retry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void itDoublesUpToTheLongestAndBeginsAnew() {
        var backoff = new Backoff(Duration.ofMillis(10), Duration.ofMillis(70));
        assertThat(Stream.generate(backoff::next).limit(6).map(Duration::toMillis))
                .containsExactly(10L, 20L, 40L, 70L, 70L, 70L);
        backoff.reset();
        assertThat(backoff.next()).isEqualTo(Duration.ofMillis(10));
    }
}
