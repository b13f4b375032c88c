package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import java.lang.foreign.Arena;
import java.net.SocketTimeoutException;
import java.time.Duration;

/// Waits for one descriptor.
final class Polling {
    private Polling() {}

    /// Until `events` (or an error or end) can be seen; false after `timeout`. Blocks a platform thread.
    static boolean ready(int fd, short events, Duration timeout) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var entry = arena.allocate(8, 4);
            entry.set(JAVA_INT, 0, fd);
            entry.set(JAVA_SHORT, 4, events);
            var millis = Math.clamp(timeout.toMillis(), 0, Integer.MAX_VALUE);
            return Libc.POLL.invoke("fd " + fd + ", " + millis + " ms", entry, 1L, millis) > 0;
        }
    }

    static void await(int fd, short events, Duration timeout, String what)
            throws LinuxException, SocketTimeoutException {
        if (!ready(fd, events, timeout)) {
            throw new SocketTimeoutException(what + " timed out after " + timeout.toMillis() + " ms");
        }
    }
}
