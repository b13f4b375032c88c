package dev.culvert.linux;

import java.io.IOException;

/// A call of the kernel failed; the message names the call, what it was given, and the error.
public final class LinuxException extends IOException {
    private final Errno errno;

    public LinuxException(String call, String arguments, int number) {
        super("%s(%s): %s".formatted(call, arguments, name(number)));
        this.errno = Errno.of(number);
    }

    private static String name(int number) {
        var errno = Errno.of(number);
        return errno == Errno.OTHER ? "errno " + number : errno.name();
    }

    /// The error's name.
    public Errno errno() {
        return errno;
    }
}
