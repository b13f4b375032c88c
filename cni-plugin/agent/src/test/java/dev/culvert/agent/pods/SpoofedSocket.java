package dev.culvert.agent.pods;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// A connection to the pod's own 198.18.64.2 as the proxy opens it: marked, and from the peer's 198.18.64.1.
record SpoofedSocket(OwnedFd fd) implements AutoCloseable {
    private static final int SOCK_STREAM = 1;
    private static final int SOL_IP = 0;
    private static final int IP_TRANSPARENT = 19;
    private static final int SO_MARK = 36;
    private static final int SO_REUSEADDR = 2;
    private static final int SO_RCVTIMEO = 20;

    /// In the calling thread's network namespace.
    /// @param from the port of the peer
    static SpoofedSocket connect(int from, int to) throws IOException {
        var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke("AF_INET", Libc.AF_INET, SOCK_STREAM | Libc.SOCK_CLOEXEC, 0));
        try (var arena = Arena.ofConfined()) {
            set(arena, fd, Libc.SOL_SOCKET, SO_MARK, 0x539);
            set(arena, fd, Libc.SOL_SOCKET, SO_REUSEADDR, 1);
            set(arena, fd, SOL_IP, IP_TRANSPARENT, 1);
            var patience = arena.allocateFrom(JAVA_LONG, 5, 0);
            Libc.SETSOCKOPT.invoke("SO_RCVTIMEO", fd.number(), Libc.SOL_SOCKET, SO_RCVTIMEO, patience, 16);
            Libc.BIND.invoke("peer", fd.number(), address(arena, 1, from), 16);
            Libc.CONNECT.invoke("app", fd.number(), address(arena, 2, to), 16);
            return new SpoofedSocket(fd);
        } catch (IOException e) {
            fd.close();
            throw e;
        }
    }

    private static void set(Arena arena, OwnedFd fd, int level, int option, int value) throws IOException {
        Libc.SETSOCKOPT.invoke(
                "option " + option, fd.number(), level, option, arena.allocateFrom(JAVA_INT, value), Integer.BYTES);
    }

    /// `struct sockaddr_in` of 198.18.64.`host`.
    private static MemorySegment address(Arena arena, int host, int port) {
        var address = arena.allocate(16, 4);
        address.set(JAVA_SHORT, 0, (short) Libc.AF_INET);
        var bytes = new int[] {port >> 8, port, 198, 18, 64, host};
        for (var i = 0; i < bytes.length; i++) {
            address.set(JAVA_BYTE, 2 + i, (byte) bytes[i]);
        }
        return address;
    }

    String read() throws IOException {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(100);
            var length = Libc.RECV.invoke("greeting", fd.number(), buffer, buffer.byteSize(), 0);
            return new String(buffer.asSlice(0, length).toArray(JAVA_BYTE), StandardCharsets.US_ASCII);
        }
    }

    @Override
    public void close() throws IOException {
        fd.close();
    }
}
