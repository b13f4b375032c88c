package dev.culvert.linux.socket;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Listens on a UNIX socket of type SEQPACKET that only its owner may connect to. `accept` blocks a platform
/// thread and ends with `ClosedChannelException` when another thread closes the listener.
public final class SeqPacketListener implements AutoCloseable {
    private static final int OWNER_ONLY = 0600;
    private static final int BACKLOG = 16;

    private final Path path;
    private final OwnedFd fd;

    private SeqPacketListener(Path path, OwnedFd fd) {
        this.path = path;
        this.fd = fd;
    }

    /// Listens on `path`, replacing what a former process left there.
    public static SeqPacketListener listen(Path path) throws IOException {
        var type = Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC;
        var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke("AF_UNIX, SOCK_SEQPACKET", Libc.AF_UNIX, type, 0));
        try (var arena = Arena.ofConfined()) {
            var address = UnixAddress.of(path, arena);
            Files.deleteIfExists(path);
            // The mode of the unbound socket becomes the file's: at no moment may anybody else connect.
            Libc.FCHMOD.invoke(path + ", 0600", fd.number(), OWNER_ONLY);
            Libc.BIND.invoke(path.toString(), fd.number(), address, (int) address.byteSize());
            Libc.LISTEN.invoke(path.toString(), fd.number(), BACKLOG);
            return new SeqPacketListener(path, fd);
        } catch (IOException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /// The next connection.
    public SeqPacketSocket accept() throws IOException {
        while (true) {
            var accepted = accept(Duration.ofHours(1));
            if (accepted.isPresent()) {
                return accepted.get();
            }
        }
    }

    /// The next connection, or empty after `timeout`.
    public Optional<SeqPacketSocket> accept(Duration timeout) throws IOException {
        return fd.use(number -> {
            if (!Polling.ready(number, Libc.POLLIN, timeout)) {
                return Optional.empty();
            }
            return Optional.of(new SeqPacketSocket(OwnedFd.adopt(accept(number))));
        });
    }

    private int accept(int number) throws IOException {
        try {
            var none = MemorySegment.NULL;
            return (int) Libc.ACCEPT4.invoke(path.toString(), number, none, none, Libc.SOCK_CLOEXEC);
        } catch (LinuxException e) {
            if (fd.isClosed() && e.errno() == Errno.EINVAL) {
                throw new ClosedChannelException();
            }
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        if (fd.isClosed()) {
            return;
        }
        Files.deleteIfExists(path);
        fd.use(number -> {
            fd.close();
            return Libc.SHUTDOWN.invoke(path.toString(), number, Libc.SHUT_RDWR);
        });
    }
}
