package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// One end of a SEQPACKET connection: whole messages, each with at most one descriptor. Calls block a
/// platform thread; one thread may send while another receives. `close` wakes both.
public final class SeqPacketSocket implements AutoCloseable {
    private static final int SO_PEERCRED = 17;

    private final OwnedFd fd;

    SeqPacketSocket(OwnedFd fd) {
        this.fd = fd;
    }

    /// Connects to a listener.
    public static SeqPacketSocket connect(Path path) throws IOException {
        var type = Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC;
        var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke("AF_UNIX, SOCK_SEQPACKET", Libc.AF_UNIX, type, 0));
        try (var arena = Arena.ofConfined()) {
            var address = UnixAddress.of(path, arena);
            Libc.CONNECT.invoke(path.toString(), fd.number(), address, (int) address.byteSize());
            return new SeqPacketSocket(fd);
        } catch (IOException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    OwnedFd descriptor() {
        return fd;
    }

    /// Who is at the other end, as the kernel knows it.
    public record PeerCredentials(int pid, int uid, int gid) {}

    public PeerCredentials peer() throws IOException {
        return fd.use(number -> {
            try (var arena = Arena.ofConfined()) {
                var credentials = arena.allocate(JAVA_INT, 3);
                var length = arena.allocateFrom(JAVA_INT, (int) credentials.byteSize());
                Libc.GETSOCKOPT.invoke("SO_PEERCRED", number, Libc.SOL_SOCKET, SO_PEERCRED, credentials, length);
                return new PeerCredentials(
                        credentials.getAtIndex(JAVA_INT, 0),
                        credentials.getAtIndex(JAVA_INT, 1),
                        credentials.getAtIndex(JAVA_INT, 2));
            }
        });
    }

    /// Sends one message.
    public void send(byte[] message, Duration timeout) throws IOException {
        try (var header = MessageHeader.toSend(message)) {
            send(header, timeout);
        }
    }

    /// Sends one message with a descriptor; the receiver gets a duplicate, `passed` stays the caller's.
    public void send(byte[] message, OwnedFd passed, Duration timeout) throws IOException {
        passed.use(number -> {
            try (var header = MessageHeader.toSend(message, number)) {
                send(header, timeout);
                return header;
            }
        });
    }

    private void send(MessageHeader header, Duration timeout) throws IOException {
        var deadline = System.nanoTime() + timeout.toNanos();
        fd.use(number -> {
            while (true) {
                Polling.await(number, Libc.POLLOUT, left(deadline), "sendmsg");
                try {
                    return Libc.SENDMSG.invoke(
                            fd.toString(), number, header.segment(), Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
                } catch (LinuxException e) {
                    retryIfBusy(e);
                }
            }
        });
    }

    /// One message as it was sent, and the descriptor that came with it, owned by the receiver.
    @SuppressWarnings("ArrayRecordComponent") // handed over once, never compared
    public record Message(byte[] bytes, Optional<OwnedFd> fd) {}

    /// The next message; empty when the peer has closed (or sent an empty message, which nobody does).
    /// @param maxBytes a longer message is an error
    /// @throws SocketTimeoutException nothing came in time; the connection is as it was
    public Optional<Message> receive(int maxBytes, Duration timeout) throws IOException {
        var deadline = System.nanoTime() + timeout.toNanos();
        return fd.use(number -> {
            try (var header = MessageHeader.toReceive(maxBytes)) {
                while (true) {
                    Polling.await(number, Libc.POLLIN, left(deadline), "recvmsg");
                    try {
                        var flags = MessageHeader.MSG_CMSG_CLOEXEC | Libc.MSG_DONTWAIT;
                        var length = Libc.RECVMSG.invoke(fd.toString(), number, header.segment(), flags);
                        return header.received((int) length);
                    } catch (LinuxException e) {
                        retryIfBusy(e);
                    }
                }
            }
        });
    }

    private static Duration left(long deadline) {
        return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }

    private static void retryIfBusy(LinuxException e) throws LinuxException {
        if (e.errno() != Errno.EAGAIN) {
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        if (fd.isClosed()) {
            return;
        }
        fd.use(number -> {
            fd.close();
            try {
                return Libc.SHUTDOWN.invoke(fd.toString(), number, Libc.SHUT_RDWR);
            } catch (LinuxException e) {
                if (e.errno() != Errno.ENOTCONN) { // the peer went first
                    throw e;
                }
                return 0L;
            }
        });
    }
}
