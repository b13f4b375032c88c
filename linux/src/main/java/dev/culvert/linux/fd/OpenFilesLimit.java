package dev.culvert.linux.fd;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import java.lang.foreign.Arena;

/// How many descriptors this process may hold (RLIMIT_NOFILE).
public record OpenFilesLimit(long soft, long hard) {
    private static final int RLIMIT_NOFILE = 7;

    /// The limit in force.
    public static OpenFilesLimit current() throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var limit = arena.allocate(JAVA_LONG, 2);
            Libc.GETRLIMIT.invoke("RLIMIT_NOFILE", RLIMIT_NOFILE, limit);
            return new OpenFilesLimit(limit.getAtIndex(JAVA_LONG, 0), limit.getAtIndex(JAVA_LONG, 1));
        }
    }

    /// Raises the soft limit to the hard one, as the node proxy of Istio does at start.
    public static OpenFilesLimit raise() throws LinuxException {
        var before = current();
        try (var arena = Arena.ofConfined()) {
            var limit = arena.allocateFrom(JAVA_LONG, before.hard, before.hard);
            Libc.SETRLIMIT.invoke("RLIMIT_NOFILE, " + before.hard, RLIMIT_NOFILE, limit);
        }
        return current();
    }
}
