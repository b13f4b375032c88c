package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.testkit.backend.Tap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// What has crossed between two nodes since this was asked for.
public final class Wire {
    private final Tap tap;

    Wire(Tap tap) {
        this.tap = tap;
    }

    /// Asserts that a word crossed in clear.
    public Wire saw(String canary) {
        assertThat(contains(canary)).as("%s crossed in clear", canary).isTrue();
        return this;
    }

    /// Asserts that something crossed, and this word not in clear.
    public Wire never(String canary) {
        assertThat(bytes()).as("bytes on the wire").isPositive();
        assertThat(contains(canary)).as("%s crossed in clear", canary).isFalse();
        return this;
    }

    private boolean contains(String canary) {
        try {
            return tap.saw(canary.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public long bytes() {
        try {
            return tap.bytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
