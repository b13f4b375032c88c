package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import dev.culvert.linux.socket.SeqPacketSocket.Message;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `struct msghdr` with its buffers (64-bit layout), for one call. Confined to the thread that made it.
final class MessageHeader implements AutoCloseable {
    static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int SCM_RIGHTS = 1;
    private static final int EMSGSIZE = 90;
    private static final int ETOOMANYREFS = 109;

    private static final int HEADER_BYTES = 56;
    private static final int CONTROL_HEADER_BYTES = 16;
    /// Room for as many descriptors as the kernel passes in one message, so that each can be closed.
    private static final int CONTROL_BYTES = CONTROL_HEADER_BYTES + 256 * 4;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment header = arena.allocate(HEADER_BYTES, 8);
    private final MemorySegment data;
    private final MemorySegment control;

    private MessageHeader(int dataBytes, int controlBytes) {
        data = arena.allocate(Math.max(1, dataBytes));
        control = arena.allocate(Math.max(8, controlBytes), 8);
        var vector = arena.allocate(16, 8);
        vector.set(ADDRESS, 0, data);
        vector.set(JAVA_LONG, 8, dataBytes);
        header.set(ADDRESS, 16, vector);
        header.set(JAVA_LONG, 24, 1);
        if (controlBytes > 0) {
            header.set(ADDRESS, 32, control);
            header.set(JAVA_LONG, 40, controlBytes);
        }
    }

    static MessageHeader toSend(byte[] message) {
        var header = new MessageHeader(message.length, 0);
        MemorySegment.copy(message, 0, header.data, JAVA_BYTE, 0, message.length);
        return header;
    }

    static MessageHeader toSend(byte[] message, int fd) {
        var header = new MessageHeader(message.length, CONTROL_HEADER_BYTES + 8);
        MemorySegment.copy(message, 0, header.data, JAVA_BYTE, 0, message.length);
        header.control.set(JAVA_LONG, 0, CONTROL_HEADER_BYTES + 4);
        header.control.set(JAVA_INT, 8, Libc.SOL_SOCKET);
        header.control.set(JAVA_INT, 12, SCM_RIGHTS);
        header.control.set(JAVA_INT, 16, fd);
        return header;
    }

    static MessageHeader toReceive(int maxBytes) {
        return new MessageHeader(maxBytes, CONTROL_BYTES);
    }

    MemorySegment segment() {
        return header;
    }

    /// What has been received. Descriptors are owned before anything else is looked at, so that no refusal
    /// leaks one.
    Optional<Message> received(int length) throws LinuxException {
        var fds = descriptors();
        try {
            check(length, fds.size());
        } catch (LinuxException e) {
            for (var fd : fds) {
                fd.close();
            }
            throw e;
        }
        if (length == 0 && fds.isEmpty()) {
            return Optional.empty();
        }
        var bytes = data.asSlice(0, length).toArray(JAVA_BYTE);
        return Optional.of(new Message(bytes, fds.stream().findFirst()));
    }

    private List<OwnedFd> descriptors() {
        var fds = new ArrayList<OwnedFd>();
        var end = header.get(JAVA_LONG, 40);
        long at = 0;
        while (at + CONTROL_HEADER_BYTES <= end) {
            var length = control.get(JAVA_LONG, at);
            if (length < CONTROL_HEADER_BYTES) {
                break;
            }
            if (control.get(JAVA_INT, at + 8) == Libc.SOL_SOCKET && control.get(JAVA_INT, at + 12) == SCM_RIGHTS) {
                for (var i = at + CONTROL_HEADER_BYTES; i + 4 <= at + length; i += 4) {
                    fds.add(OwnedFd.adopt(control.get(JAVA_INT, i)));
                }
            }
            at += (length + 7) & ~7L;
        }
        return fds;
    }

    private void check(int length, int descriptors) throws LinuxException {
        var flags = header.get(JAVA_INT, 48);
        if ((flags & MSG_TRUNC) != 0) {
            throw new LinuxException("recvmsg", "message longer than " + data.byteSize() + " bytes", EMSGSIZE);
        }
        if ((flags & MSG_CTRUNC) != 0 || descriptors > 1) {
            throw new LinuxException("recvmsg", length + " bytes with more than one descriptor", ETOOMANYREFS);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
