package dev.culvert.linux.netns;

import dev.culvert.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The nftables rules of a network namespace, as a whole.
public final class Ruleset {
    /// The number in a namespace in which nobody has ever made a rule (`nf_tables_init_net` in the kernel).
    public static final int UNTOUCHED = 1;

    private static final short NFT_GETGEN = (NetfilterSocket.NFNL_SUBSYS_NFTABLES << 8) | 16;
    private static final short NFTA_GEN_ID = 1;

    private Ruleset() {}

    /// The number of the rules in force in the calling thread's network namespace: another one after each change of
    /// any of them, whoever makes it.
    /// @throws LinuxException EPERM without CAP_NET_ADMIN, EINVAL without nftables
    public static int generation() throws IOException {
        try (var socket = NetfilterSocket.open()) {
            var request = ByteBuffer.allocate(NetfilterSocket.HEAD_BYTES).order(ByteOrder.nativeOrder());
            request.putInt(NetfilterSocket.HEAD_BYTES).putShort(NFT_GETGEN).putShort(NetfilterSocket.NLM_F_REQUEST);
            socket.send("NFT_MSG_GETGEN", request.position(NetfilterSocket.HEAD_BYTES));
            var answer =
                    socket.receive("NFT_MSG_GETGEN").orElseThrow(() -> new IOException("NFT_MSG_GETGEN: no answer"));
            var error = NetfilterSocket.error(answer);
            if (error != 0) {
                throw new LinuxException("NFT_MSG_GETGEN", "", error);
            }
            return number(answer);
        }
    }

    private static int number(ByteBuffer answer) throws IOException {
        for (var at = NetfilterSocket.HEAD_BYTES; at + 8 <= answer.limit(); at += (answer.getShort(at) + 3) & ~3) {
            if (answer.getShort(at) < 4) {
                break;
            }
            if (answer.getShort(at + 2) == NFTA_GEN_ID) {
                return answer.order(ByteOrder.BIG_ENDIAN).getInt(at + 4);
            }
        }
        throw new IOException("NFT_MSG_GETGEN: an answer without a number");
    }
}
