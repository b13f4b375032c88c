package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// The TCP sockets of the calling thread's network namespace, whoever holds them.
public final class TcpSockets {
    private static final int NETLINK_SOCK_DIAG = 4;
    private static final short SOCK_DIAG_BY_FAMILY = 20;
    private static final short SOCK_DESTROY = 21;
    private static final short NLM_F_REQUEST = 0x1;
    private static final short NLM_F_REQUEST_ACK = 0x5;
    private static final int NLMSG_ERROR = 2;
    private static final int IPPROTO_TCP = 6;
    private static final int REQUEST_BYTES = 72;
    private static final int REQUEST_COOKIE = 64;
    /// `struct inet_diag_sockid`.
    private static final int REQUEST_ID = 24;

    private static final short NLM_F_DUMP = 0x301;
    private static final int NLMSG_DONE = 3;
    private static final int DUMP_BYTES = 64 * 1024;
    private static final int ALL_BUT_TIME_WAIT = ~(1 << 6);
    /// From the start of `struct nlmsghdr`, which `struct inet_diag_msg` follows.
    private static final int FOUND_FAMILY = 16;

    private static final int FOUND_STATE = 17;
    private static final int FOUND_PORTS = 20;
    private static final int FOUND_LOCAL = 24;
    private static final int FOUND_REMOTE = 40;
    private static final int FOUND_COOKIE = 60;
    private static final int FOUND_INODE = 84;
    private static final int COOKIE_BYTES = 8;
    private static final int ENOENT = 2;

    private TcpSockets() {}

    /// All but those in TIME_WAIT, IPv4 and IPv6. Not one moment's picture: the kernel goes on while it tells.
    public static List<TcpSocket> list() throws IOException {
        var sockets = new ArrayList<TcpSocket>();
        try {
            dump(Libc.AF_INET, sockets);
            dump(Libc.AF_INET6, sockets);
            return sockets;
        } catch (LinuxException noInetDiag) {
            return listFromProc();
        }
    }

    /// As [#list], by text, which costs a process with many connections in TIME_WAIT a great deal more.
    static List<TcpSocket> listFromProc() throws IOException {
        var sockets = new ArrayList<TcpSocket>();
        for (var table : List.of("tcp", "tcp6")) {
            var file = Path.of("/proc/thread-self/net", table);
            if (Files.exists(file)) {
                Files.readAllLines(file).stream()
                        .skip(1)
                        .map(TcpSockets::parse)
                        .filter(socket -> socket.state() != TcpSocket.State.TIME_WAIT)
                        .forEach(sockets::add);
            }
        }
        return sockets;
    }

    private static void dump(int family, List<TcpSocket> into) throws IOException {
        try (var arena = Arena.ofConfined();
                var fd = open("dump")) {
            var request = arena.allocate(REQUEST_BYTES, 4);
            MemorySegment.copy(
                    request((byte) family, NLM_F_DUMP, ALL_BUT_TIME_WAIT), 0, request, JAVA_BYTE, 0, REQUEST_BYTES);
            Libc.SEND.invoke("SOCK_DIAG dump", fd.number(), request, request.byteSize(), 0);
            var answer = arena.allocate(DUMP_BYTES, 4);
            var more = true;
            while (more) {
                var bytes = Libc.RECV.invoke("SOCK_DIAG dump", fd.number(), answer, answer.byteSize(), 0);
                more = readDump(answer.asSlice(0, bytes), into);
            }
        }
    }

    /// One datagram of the answer; false at the end.
    private static boolean readDump(MemorySegment answer, List<TcpSocket> into) throws IOException {
        var at = 0L;
        while (at < answer.byteSize()) {
            var message = answer.asSlice(at, answer.get(JAVA_INT, at));
            var type = message.get(JAVA_SHORT, 4);
            if (type == NLMSG_DONE) {
                return false;
            }
            if (type == NLMSG_ERROR) {
                throw new LinuxException("SOCK_DIAG", "dump", -message.get(JAVA_INT, 16));
            }
            into.add(found(message));
            at += (message.byteSize() + 3) & ~3;
        }
        return true;
    }

    /// `struct inet_diag_msg`.
    private static TcpSocket found(MemorySegment message) {
        var bytes = message.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
        var addressBytes = bytes.get(FOUND_FAMILY) == Libc.AF_INET ? 4 : 16;
        return new TcpSocket(
                address(bytes, FOUND_LOCAL, addressBytes, FOUND_PORTS),
                address(bytes, FOUND_REMOTE, addressBytes, FOUND_PORTS + 2),
                TcpSocket.State.numbered(bytes.get(FOUND_STATE)),
                Integer.toUnsignedLong(message.get(JAVA_INT, FOUND_INODE)));
    }

    private static InetSocketAddress address(ByteBuffer message, int at, int bytes, int portAt) {
        var address = new byte[bytes];
        message.get(at, address);
        try {
            return new InetSocketAddress(
                    InetAddress.getByAddress(address), Short.toUnsignedInt(message.getShort(portAt)));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static TcpSocket parse(String line) {
        var fields = line.strip().split("\\s+", -1);
        return new TcpSocket(
                address(fields[1]),
                address(fields[2]),
                TcpSocket.State.numbered(Integer.parseInt(fields[3], 16)),
                Long.parseLong(fields[9]));
    }

    /// `0100007F:1F90`: each 32-bit word in the machine's order, then the port.
    private static InetSocketAddress address(String hex) {
        var colon = hex.indexOf(':');
        var words = ByteBuffer.wrap(HexFormat.of().parseHex(hex, 0, colon)).order(ByteOrder.BIG_ENDIAN);
        var bytes = ByteBuffer.allocate(words.remaining()).order(ByteOrder.nativeOrder());
        while (words.hasRemaining()) {
            bytes.putInt(words.getInt());
        }
        try {
            return new InetSocketAddress(
                    InetAddress.getByAddress(bytes.array()), Integer.parseInt(hex, colon + 1, hex.length(), 16));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(hex, e);
        }
    }

    /// Aborts one connection, whichever process holds it: both ends get a reset. Where the kernel finds no such
    /// connection it finds the listener of that port; so it is asked first what it has found, and then told to
    /// abort that very socket.
    /// @throws LinuxException ENOENT if there is none of this kind (or the kernel has no `inet_diag`)
    public static void destroy(InetSocketAddress local, InetSocketAddress remote) throws IOException {
        var described = local + ", " + remote;
        try (var arena = Arena.ofConfined();
                var fd = open(described)) {
            var request = arena.allocate(REQUEST_BYTES, 4);
            MemorySegment.copy(request(local, remote), 0, request, JAVA_BYTE, 0, REQUEST_BYTES);
            var found = ask(arena, fd, request, described);
            if (TcpSocket.State.numbered(found.get(JAVA_BYTE, FOUND_STATE)) == TcpSocket.State.LISTEN) {
                throw new LinuxException("SOCK_DESTROY", described, ENOENT);
            }
            MemorySegment.copy(found, FOUND_COOKIE, request, REQUEST_COOKIE, COOKIE_BYTES);
            request.set(JAVA_SHORT, 4, SOCK_DESTROY);
            request.set(JAVA_SHORT, 6, NLM_F_REQUEST_ACK);
            ask(arena, fd, request, described);
        }
    }

    private static MemorySegment ask(Arena arena, OwnedFd fd, MemorySegment request, String described)
            throws IOException {
        Libc.SEND.invoke("SOCK_DIAG " + described, fd.number(), request, request.byteSize(), 0);
        var answer = arena.allocate(512, 4);
        Libc.RECV.invoke("SOCK_DIAG " + described, fd.number(), answer, answer.byteSize(), 0);
        var error = -answer.get(JAVA_INT, 16);
        if (answer.get(JAVA_SHORT, 4) == NLMSG_ERROR && error != 0) {
            throw new LinuxException("SOCK_DIAG", described, error);
        }
        return answer;
    }

    private static OwnedFd open(String what) throws IOException {
        var type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC;
        return OwnedFd.adopt((int) Libc.SOCKET.invoke(
                "AF_NETLINK, NETLINK_SOCK_DIAG for " + what, Libc.AF_NETLINK, type, NETLINK_SOCK_DIAG));
    }

    private static byte[] request(InetSocketAddress local, InetSocketAddress remote) {
        var family = local.getAddress().getAddress().length == 4 ? Libc.AF_INET : Libc.AF_INET6;
        var request = request((byte) family, NLM_F_REQUEST, -1);
        var buffer = ByteBuffer.wrap(request).position(REQUEST_ID); // in network order
        buffer.putShort((short) local.getPort()).putShort((short) remote.getPort());
        var addresses = buffer.position();
        buffer.put(local.getAddress().getAddress()).position(addresses + 16);
        buffer.put(remote.getAddress().getAddress()).position(addresses + 32);
        buffer.putInt(0).putInt(-1).putInt(-1); // any interface, any cookie
        return request;
    }

    /// `struct nlmsghdr` and `struct inet_diag_req_v2` (`linux/inet_diag.h`), the id all zero.
    private static byte[] request(byte family, short flags, int states) {
        var request = new byte[REQUEST_BYTES];
        var buffer = ByteBuffer.wrap(request).order(ByteOrder.nativeOrder());
        buffer.putInt(REQUEST_BYTES).putShort(SOCK_DIAG_BY_FAMILY).putShort(flags);
        buffer.putInt(1).putInt(0);
        buffer.put(family).put((byte) IPPROTO_TCP).putShort((short) 0).putInt(states);
        return request;
    }
}
