package dev.culvert.linux.netns;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;

/// Tables of nftables, of the family `inet`, that nobody else can change or delete as long as this is open: not even
/// another socket of this process. When it is closed, or the process ends, they stay with their rules as tables of
/// nobody's, which anybody can change, and the next one can claim. This is `NFT_TABLE_F_OWNER` with
/// `NFT_TABLE_F_PERSIST` of `linux/netfilter/nf_tables.h`; Linux has the second since 6.9. Not thread-safe.
///
/// An `nft` that does not know `persist` (1.1 does) cannot say `add table` of such a table, whoever owns it. All its
/// other statements work while the table is nobody's.
public final class OwnedTables implements AutoCloseable {
    private static final int MOST_BYTES = 4096;
    private static final int NFTA_HEAD_BYTES = 4;
    private static final short NFNL_MSG_BATCH_BEGIN = 0x10;
    private static final short NFNL_MSG_BATCH_END = 0x11;
    private static final short NFNL_BATCH_GENID = 1;
    private static final short NFT_MSG_NEWTABLE = NetfilterSocket.NFNL_SUBSYS_NFTABLES << 8;
    private static final short NFTA_TABLE_NAME = 1;
    private static final short NFTA_TABLE_FLAGS = 2;
    private static final int NFT_TABLE_F_OWNER = 2;
    private static final int NFT_TABLE_F_PERSIST = 4;
    private static final short NLM_F_ACK = 4;
    private static final short NLM_F_EXCL = 0x200;
    private static final short NLM_F_CREATE = 0x400;
    private static final byte NFPROTO_UNSPEC = 0;
    private static final byte NFPROTO_INET = 1;
    /// `NFNL_BATCH_GENID` as the kernel reads it.
    private static final int ANY_GENERATION = 0;

    private final NetfilterSocket socket;
    private int sequence;

    private OwnedTables(NetfilterSocket socket) {
        this.socket = socket;
    }

    /// What became of a claim.
    public enum Claim {
        /// The table is ours.
        OWNED,
        /// It was made for everybody: nobody can own it before it has been deleted.
        SHARED,
        /// Somebody else owns it.
        TAKEN,
        /// This kernel makes no table that can be owned and stays.
        UNSUPPORTED
    }

    /// Owns nothing yet, in the calling thread's network namespace, which it keeps until it is closed.
    public static OwnedTables open() throws LinuxException {
        return new OwnedTables(NetfilterSocket.open());
    }

    /// Makes a table, or takes over one of nobody's. One that is ours stays ours.
    /// @throws LinuxException EPERM without CAP_NET_ADMIN, EOPNOTSUPP without nftables
    public Claim claim(String table) throws IOException {
        var refusal = commit(List.of(table), ANY_GENERATION, (short) (NLM_F_CREATE | NLM_F_EXCL));
        if (refusal.isPresent() && refusal.get().errno() == Errno.EEXIST) {
            return outcome(commit(List.of(table), ANY_GENERATION, NLM_F_CREATE), Claim.SHARED);
        }
        return outcome(refusal, Claim.UNSUPPORTED);
    }

    /// @param flagsRefused what it means if the kernel does not take the flags
    private static Claim outcome(Optional<LinuxException> refusal, Claim flagsRefused) throws LinuxException {
        if (refusal.isEmpty()) {
            return Claim.OWNED;
        }
        var errno = refusal.get().errno();
        if (errno == Errno.EPERM) {
            return Claim.TAKEN;
        }
        if (errno == Errno.EOPNOTSUPP || errno == Errno.EINVAL) {
            return flagsRefused;
        }
        throw refusal.get();
    }

    /// Takes over tables of nobody's, all or none, unless any rule of the namespace has changed since `generation`.
    /// @param generation a number of [Ruleset#generation]
    /// @return false if some rule has changed
    /// @throws LinuxException EPERM if somebody else owns one, EOPNOTSUPP if one was made for everybody
    public boolean claim(Collection<String> tables, int generation) throws IOException {
        try {
            var refusal = commit(tables, generation, NLM_F_CREATE);
            if (refusal.isPresent()) {
                throw refusal.get();
            }
            return true;
        } catch (LinuxException e) {
            if (e.errno() == Errno.ERESTART) {
                return false;
            }
            throw e;
        }
    }

    /// One transaction that makes tables, or takes them over.
    /// @return why the kernel refuses one of them, and so all
    /// @throws LinuxException if it refuses the transaction
    private Optional<LinuxException> commit(Collection<String> tables, int generation, short flags) throws IOException {
        var batch = ByteBuffer.allocate(MOST_BYTES).order(ByteOrder.nativeOrder());
        edge(batch, NFNL_MSG_BATCH_BEGIN, generation);
        var waiting = new HashMap<Integer, String>();
        for (var table : tables) {
            waiting.put(table(batch, table, flags), table);
        }
        edge(batch, NFNL_MSG_BATCH_END, ANY_GENERATION);
        socket.send("NFT_MSG_NEWTABLE", batch);
        var refusal = Optional.<LinuxException>empty();
        for (var answer = receive(); answer.isPresent(); answer = receive()) {
            var error = NetfilterSocket.error(answer.get());
            var table = waiting.remove(NetfilterSocket.sequence(answer.get()));
            if (error != 0 && table == null) {
                throw new LinuxException("NFNL_MSG_BATCH_BEGIN", tables.toString(), error);
            }
            if (error != 0 && refusal.isEmpty()) {
                refusal = Optional.of(new LinuxException("NFT_MSG_NEWTABLE", "inet " + table, error));
            }
        }
        if (refusal.isEmpty() && !waiting.isEmpty()) {
            throw new IOException("NFT_MSG_NEWTABLE: no answer about " + waiting.values());
        }
        return refusal;
    }

    private Optional<ByteBuffer> receive() throws IOException {
        return socket.receive("NFT_MSG_NEWTABLE");
    }

    private void edge(ByteBuffer batch, short type, int generation) {
        var start = head(batch, type, (short) 0, NFPROTO_UNSPEC, (short) NetfilterSocket.NFNL_SUBSYS_NFTABLES);
        if (generation != ANY_GENERATION) {
            attribute(batch, NFNL_BATCH_GENID, bigEndian(generation));
        }
        batch.putInt(start, batch.position() - start);
    }

    /// @return the message's number
    private int table(ByteBuffer batch, String name, short flags) {
        var start = head(batch, NFT_MSG_NEWTABLE, (short) (NLM_F_ACK | flags), NFPROTO_INET, (short) 0);
        attribute(batch, NFTA_TABLE_NAME, (name + '\0').getBytes(StandardCharsets.US_ASCII));
        attribute(batch, NFTA_TABLE_FLAGS, bigEndian(NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST));
        batch.putInt(start, batch.position() - start);
        return sequence;
    }

    /// @return where the message begins, and where its length is to be written
    private int head(ByteBuffer batch, short type, short flags, byte family, short resource) {
        var start = batch.position();
        batch.putInt(0).putShort(type).putShort((short) (NetfilterSocket.NLM_F_REQUEST | flags));
        batch.putInt(++sequence).putInt(0); // to the kernel
        batch.put(family).put((byte) 0);
        batch.put((byte) (resource >> 8)).put((byte) resource); // big-endian
        return start;
    }

    private static void attribute(ByteBuffer batch, short type, byte[] value) {
        batch.putShort((short) (NFTA_HEAD_BYTES + value.length)).putShort(type).put(value);
        batch.position((batch.position() + 3) & ~3);
    }

    private static byte[] bigEndian(int number) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }

    /// Whatever it owns is nobody's from here on.
    @Override
    public void close() throws LinuxException {
        socket.close();
    }
}
