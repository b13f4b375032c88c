package dev.culvert.waypoint.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What is remembered of names, with a clock and threads that the test moves.
class HostLookupTest {
    private static final InetAddress ONE = InetAddress.ofLiteral("198.18.0.1");
    private static final InetAddress TWO = InetAddress.ofLiteral("198.18.0.2");
    private static final InetAddress SIX = InetAddress.ofLiteral("2001:2::1");

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final AtomicInteger asked = new AtomicInteger();
    private long now;
    private List<InetAddress> answer = List.of(ONE);
    private final HostLookup lookup = new HostLookup(this::resolve, tasks::add, () -> now);

    private List<InetAddress> resolve(String host) throws UnknownHostException {
        asked.incrementAndGet();
        if (answer.isEmpty()) {
            throw new UnknownHostException(host);
        }
        return answer;
    }

    private void run() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    private void after(Duration time) {
        now += time.toNanos();
    }

    private CompletableFuture<List<InetAddress>> look() {
        var found = lookup.of("pier.example");
        run();
        return found;
    }

    @Test
    void aNameIsLookedUpOnceForAllWhoAskAtTheSameTime() {
        var first = lookup.of("pier.example");
        var second = lookup.of("pier.example");
        assertThat(first).isNotDone();
        run();
        assertThat(first).isCompletedWithValue(List.of(ONE));
        assertThat(second).isCompletedWithValue(List.of(ONE));
        assertThat(asked).hasValue(1);
        assertThat(lookup.of("198.18.0.9")).isCompletedWithValue(List.of(InetAddress.ofLiteral("198.18.0.9")));
        assertThat(asked).hasValue(1);
    }

    @Test
    void whatWasFoundIsUsedWhileItIsLookedUpAgain() {
        look();
        answer = List.of(TWO);
        after(Duration.ofSeconds(10));
        assertThat(look()).isCompletedWithValue(List.of(ONE));
        assertThat(asked).hasValue(1);
        after(Duration.ofSeconds(10));
        assertThat(look()).isCompletedWithValue(List.of(ONE));
        assertThat(look()).isCompletedWithValue(List.of(TWO));
        assertThat(asked).hasValue(2);
    }

    @Test
    void whatWasFoundOutlivesFailuresForTenMinutes() {
        look();
        answer = List.of();
        after(Duration.ofMinutes(9));
        look();
        assertThat(look()).isCompletedWithValue(List.of(ONE));
        after(Duration.ofMinutes(2));
        assertThatThrownBy(look()::join).hasMessageContaining("no address of pier.example");
    }

    @Test
    void aFailureCountsForASecond() {
        answer = List.of();
        assertThatThrownBy(look()::join).hasMessageContaining("no address of pier.example");
        assertThatThrownBy(look()::join).hasMessageContaining("a moment ago");
        assertThat(asked).hasValue(1);
        answer = List.of(ONE);
        after(Duration.ofSeconds(2));
        assertThat(look()).isCompletedWithValue(List.of(ONE));
    }

    @Test
    void whoeverFindsNoThreadIsToldAndMayAskAgain() {
        var full = new HostLookup(
                this::resolve,
                _ -> {
                    throw new RejectedExecutionException("full");
                },
                () -> now);
        assertThatThrownBy(full.of("pier.example")::join).hasMessageContaining("too many names");
        assertThatThrownBy(full.of("pier.example")::join).hasMessageContaining("too many names");
    }

    @Test
    void moreNamesThanAreKeptAreLookedUpAgain() {
        look();
        IntStream.range(0, HostLookup.MANY).forEach(i -> {
            lookup.of("host-" + i);
            run();
        });
        var before = asked.get();
        look();
        assertThat(asked).hasValue(before + 1);
    }

    @Test
    void ofBothFamiliesTheSecondTryIsOfTheOther() {
        var random = new Random(1);
        assertThat(HostLookup.two(List.of(ONE), random)).containsExactly(ONE);
        assertThat(HostLookup.two(List.of(ONE, TWO), random)).containsExactlyInAnyOrder(ONE, TWO);
        var two = HostLookup.two(List.of(ONE, SIX, TWO), random);
        assertThat(List.of(ONE, TWO)).contains(two.getFirst());
        assertThat(two.getLast()).isEqualTo(SIX);
    }
}
