package dev.culvert.ztunnel.dns.message;

import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes answers of our own. The question is said back as it was asked; names of records are in lower case.
public final class Answers {
    /// Of a message with its length in 16 bits (TCP).
    public static final int MAX_BYTES = 65_535;

    private static final int TTL_SECONDS = 30;
    private static final int OPT_BYTES = 11;
    private static final int AA = 0x04;
    private static final int TC = 0x02;
    private static final int RA = 0x80;

    private final Query query;
    private final int limit;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);
    private final Map<ByteBuffer, Integer> written = new HashMap<>(2);
    private int records;

    private Answers(Query query, int limit) {
        this.query = query;
        this.limit = limit - (query.edns() == null ? 0 : OPT_BYTES);
        out.writeBytes(new byte[Query.HEADER_BYTES]);
        var question = query.question();
        out.writeBytes(question);
        var name = query.lowerName();
        if (Arrays.equals(name, 0, name.length, question, 0, name.length)) {
            written.put(ByteBuffer.wrap(name), Query.HEADER_BYTES);
        }
    }

    /// What we know of a name. As many records as fit into `limit` bytes; TC says that some did not.
    /// @param canonical the name that the asked one stands for, or null
    /// @param addresses of the family that was asked for
    public static byte[] local(Query query, @Nullable String canonical, List<InetAddress> addresses, int limit) {
        var answer = new Answers(query, limit);
        var fits = true;
        var owner = query.lowerName();
        if (canonical != null && !addresses.isEmpty()) {
            var target = Query.encode(canonical);
            fits = answer.record(owner, RecordType.CNAME, target);
            owner = target;
        }
        for (var address : addresses) {
            var type = address instanceof Inet4Address ? RecordType.A : RecordType.AAAA;
            if (!fits || !answer.record(owner, type, address.getAddress())) {
                fits = false;
                break;
            }
        }
        return answer.finish(AA | (fits ? 0 : TC), RA, Rcode.NOERROR);
    }

    /// No records, and no claim to know the name.
    public static byte[] error(Query query, Rcode rcode) {
        return new Answers(query, MAX_BYTES).finish(0, 0, rcode);
    }

    /// Says only that the answer is too long for UDP.
    static byte[] truncated(Query query) {
        return new Answers(query, MAX_BYTES).finish(TC, RA, Rcode.NOERROR);
    }

    private boolean record(byte[] owner, int type, byte[] data) {
        var ownerBytes = written.containsKey(ByteBuffer.wrap(owner)) ? 2 : owner.length;
        if (out.size() + ownerBytes + 10 + data.length > limit) {
            return false;
        }
        out.writeBytes(reference(owner));
        u16(type);
        u16(RecordType.IN);
        u16(0);
        u16(TTL_SECONDS);
        u16(data.length);
        out.writeBytes(data);
        records++;
        return true;
    }

    /// The name, or a pointer to where it is written already (RFC 1035 §4.1.4). Each of the two names that there are is
    /// written within the first records, so that a pointer's 14 bits are enough.
    private byte[] reference(byte[] name) {
        var known = written.putIfAbsent(ByteBuffer.wrap(name), out.size());
        return known == null ? name : new byte[] {(byte) (0xc0 | (known >> 8)), (byte) (int) known};
    }

    private byte[] finish(int flags, int available, Rcode rcode) {
        var edns = query.edns();
        if (edns != null) {
            out.write(0);
            u16(RecordType.OPT);
            u16(edns.payload());
            out.write(0);
            out.write(edns.version());
            u16(0);
            u16(0);
        }
        var bytes = out.toByteArray();
        bytes[0] = (byte) (query.id() >> 8);
        bytes[1] = (byte) query.id();
        bytes[2] = (byte) (0x80 | flags | (query.recursionDesired() ? 1 : 0));
        bytes[3] = (byte) (available | (query.checkingDisabled() ? 0x10 : 0) | rcode.code);
        bytes[5] = 1;
        bytes[6] = (byte) (records >> 8);
        bytes[7] = (byte) records;
        bytes[11] = (byte) (edns == null ? 0 : 1);
        return bytes;
    }

    private void u16(int value) {
        out.write(value >> 8);
        out.write(value);
    }
}
