package dev.culvert.cli.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Prints what is observed, and fails when it is not what was promised.
final class Story {
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final PrintWriter out;

    Story(PrintWriter out) {
        this.out = out;
    }

    void step(String title) {
        say("\n== " + title);
    }

    void say(String text) {
        out.println(text);
        out.flush();
    }

    /// Prints what was seen, if it was as expected.
    void observe(boolean asExpected, String seen, String otherwise) {
        if (!asExpected) {
            throw new ObservationException(otherwise);
        }
        say("   " + seen);
    }

    /// Something that may be seen a little later.
    interface Sight<T> {
        Optional<T> look() throws IOException;
    }

    /// Looks until it is seen.
    static <T> T await(Duration most, Sight<T> sight, String otherwise) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + most.toNanos();
        while (true) {
            var seen = sight.look();
            if (seen.isPresent()) {
                return seen.get();
            }
            if (System.nanoTime() - deadline > 0) {
                throw new ObservationException(otherwise + " (waited " + most.toSeconds() + " s)");
            }
            TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
        }
    }
}
