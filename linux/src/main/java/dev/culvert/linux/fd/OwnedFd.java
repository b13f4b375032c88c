package dev.culvert.linux.fd;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;

/// A file descriptor with one owner. Thread-safe: `close` waits for nobody, but the number is given back to
/// the kernel only when the last call that uses it has ended, so that no call ever meets a stranger's
/// descriptor.
public final class OwnedFd implements AutoCloseable {
    private final int number;
    private int users;
    private boolean closed;

    private OwnedFd(int number) {
        this.number = number;
    }

    /// Takes over a descriptor that the kernel has just returned.
    public static OwnedFd adopt(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a descriptor: " + number);
        }
        return new OwnedFd(number);
    }

    /// Opens a file for reading, closed on `exec`.
    public static OwnedFd open(Path path) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var name = arena.allocateFrom(path.toString());
            return adopt((int) Libc.OPEN.invoke(path + ", O_CLOEXEC", name, Libc.O_RDONLY | Libc.O_CLOEXEC, 0));
        }
    }

    /// Something done with the number.
    @FunctionalInterface
    public interface Use<T> {
        T with(int number) throws IOException;
    }

    /// Runs `use` with the number, which stays valid until it returns.
    public <T> T use(Use<T> use) throws IOException {
        acquire();
        try {
            return use.with(number);
        } finally {
            release();
        }
    }

    /// A second descriptor of the same open file.
    public OwnedFd duplicate() throws IOException {
        return use(fd -> adopt((int) Libc.FCNTL.invoke(fd + ", F_DUPFD_CLOEXEC", fd, Libc.F_DUPFD_CLOEXEC, 3)));
    }

    /// The number, for calls that are over before the owner can close it.
    public int number() {
        return number;
    }

    public synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void acquire() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        users++;
    }

    private void release() throws LinuxException {
        synchronized (this) {
            users--;
            if (!closed || users > 0) {
                return;
            }
        }
        closeNow();
    }

    @Override
    public void close() throws LinuxException {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            if (users > 0) {
                return;
            }
        }
        closeNow();
    }

    private void closeNow() throws LinuxException {
        Libc.CLOSE.invoke(Integer.toString(number), number);
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
