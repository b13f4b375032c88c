package dev.culvert.linux.netns;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;

/// The nftables rules of a network namespace, as a whole.
public final class Ruleset {
    private static final int NETLINK_NETFILTER = 12;
    private static final short NFT_GETGEN = (10 << 8) | 16; // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
    private static final short NLM_F_REQUEST = 1;
    private static final short NLMSG_ERROR = 2;
    private static final short NFTA_GEN_ID = 1;
    private static final int MSG_DONTWAIT = 0x40; // the kernel answers before send returns
    /// `struct nlmsghdr` and `struct nfgenmsg`.
    private static final int HEAD_BYTES = 20;

    private static final int ANSWER_BYTES = 512;

    private Ruleset() {}

    /// The number of the rules in force in the calling thread's network namespace: another one after each change of
    /// any of them, whoever makes it.
    /// @throws LinuxException EPERM without CAP_NET_ADMIN, EINVAL without nftables
    public static int generation() throws IOException {
        try (var arena = Arena.ofConfined();
                var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke(
                        "AF_NETLINK, NETLINK_NETFILTER",
                        Libc.AF_NETLINK,
                        Libc.SOCK_RAW | Libc.SOCK_CLOEXEC,
                        NETLINK_NETFILTER))) {
            var request = arena.allocate(HEAD_BYTES, 4);
            request.set(JAVA_INT, 0, HEAD_BYTES);
            request.set(JAVA_SHORT, 4, NFT_GETGEN);
            request.set(JAVA_SHORT, 6, NLM_F_REQUEST);
            Libc.SEND.invoke("NFT_MSG_GETGEN", fd.number(), request, request.byteSize(), 0);
            var answer = arena.allocate(ANSWER_BYTES, 4);
            var bytes = Libc.RECV.invoke("NFT_MSG_GETGEN", fd.number(), answer, answer.byteSize(), MSG_DONTWAIT);
            if (answer.get(JAVA_SHORT, 4) == NLMSG_ERROR) {
                throw new LinuxException("NFT_MSG_GETGEN", "", -answer.get(JAVA_INT, 16));
            }
            for (var at = HEAD_BYTES; at + 8 <= bytes; at += (answer.get(JAVA_SHORT, at) + 3) & ~3) {
                if (answer.get(JAVA_SHORT, at) < 4) {
                    break;
                }
                if (answer.get(JAVA_SHORT, at + 2) == NFTA_GEN_ID) {
                    return number(answer.asSlice(at + 4, 4).toArray(JAVA_BYTE));
                }
            }
            throw new IOException("NFT_MSG_GETGEN: an answer without a number");
        }
    }

    private static int number(byte[] bigEndian) {
        return ByteBuffer.wrap(bigEndian).getInt();
    }
}
