package dev.culvert.linux.netns;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// A netlink socket to netfilter, in the network namespace of the thread that makes it; it keeps that namespace. The
/// kernel answers before a send returns, so nothing here waits.
final class NetfilterSocket implements AutoCloseable {
    /// Of nftables in `linux/netfilter/nfnetlink.h`.
    static final int NFNL_SUBSYS_NFTABLES = 10;

    static final short NLM_F_REQUEST = 1;

    /// `struct nlmsghdr` and `struct nfgenmsg`.
    static final int HEAD_BYTES = 20;

    private static final int NETLINK_NETFILTER = 12;
    private static final short NLMSG_ERROR = 2;
    private static final int ANSWER_BYTES = 512;

    private final OwnedFd fd;

    private NetfilterSocket(OwnedFd fd) {
        this.fd = fd;
    }

    static NetfilterSocket open() throws LinuxException {
        return new NetfilterSocket(OwnedFd.adopt((int) Libc.SOCKET.invoke(
                "AF_NETLINK, NETLINK_NETFILTER",
                Libc.AF_NETLINK,
                Libc.SOCK_RAW | Libc.SOCK_CLOEXEC,
                NETLINK_NETFILTER)));
    }

    /// @param messages up to its position; read by this
    void send(String what, ByteBuffer messages) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var bytes = arena.allocate(messages.position(), 4);
            bytes.asByteBuffer().put(messages.flip());
            fd.use(number -> Libc.SEND.invoke(what, number, bytes, bytes.byteSize(), 0));
        }
    }

    /// @return the next answer; empty if there is none
    Optional<ByteBuffer> receive(String what) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var answer = arena.allocate(ANSWER_BYTES, 4);
            var bytes = fd.use(number -> Libc.RECV.invoke(what, number, answer, answer.byteSize(), Libc.MSG_DONTWAIT));
            return Optional.of(
                    ByteBuffer.wrap(answer.asSlice(0, bytes).toArray(JAVA_BYTE)).order(ByteOrder.nativeOrder()));
        } catch (LinuxException e) {
            if (e.errno() == Errno.EAGAIN) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Which message an answer is for.
    static int sequence(ByteBuffer answer) {
        return answer.getInt(8);
    }

    /// @return the error's number that the kernel answers; 0 if the message is done, or what was asked for follows
    static int error(ByteBuffer answer) {
        return answer.getShort(4) == NLMSG_ERROR ? -answer.getInt(16) : 0;
    }

    @Override
    public void close() throws LinuxException {
        fd.close();
    }
}
