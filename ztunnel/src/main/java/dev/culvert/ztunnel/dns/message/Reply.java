package dev.culvert.ztunnel.dns.message;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.ztunnel.dns.message.Cursor.OutOfFormException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a name server answered. Only its header and question are looked at; the rest passes as it is.
public final class Reply {
    private final byte[] message;

    private Reply(byte[] message) {
        this.message = message;
    }

    /// Empty unless it is an answer to this very question: same id, opcode and question, letter case aside (RFC 5452
    /// §9.1). A server that understood nothing may leave the question out.
    public static Optional<Reply> to(Query query, int id, byte[] bytes) {
        if (bytes.length < Query.HEADER_BYTES || Cursor.u16(bytes, 0) != id || (bytes[2] & 0xf8) != 0x80) {
            return Optional.empty();
        }
        var questions = Cursor.u16(bytes, 4);
        var empty = questions == 0
                && bytes.length == Query.HEADER_BYTES
                && Cursor.u16(bytes, 6) + Cursor.u16(bytes, 8) + Cursor.u16(bytes, 10) == 0
                && (bytes[3] & 0x0f) != 0;
        return empty || (questions == 1 && sameQuestion(query.question(), bytes))
                ? Optional.of(new Reply(bytes.clone()))
                : Optional.empty();
    }

    private static boolean sameQuestion(byte[] asked, byte[] bytes) {
        if (bytes.length < Query.HEADER_BYTES + asked.length) {
            return false;
        }
        for (var i = 0; i < asked.length; i++) {
            var inName = i < asked.length - 4;
            var a = asked[i];
            var b = bytes[Query.HEADER_BYTES + i];
            if (a != b && !(inName && lower(a) == lower(b))) {
                return false;
            }
        }
        return true;
    }

    private static int lower(byte c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }

    public boolean isError(Rcode rcode) {
        return rcode() == rcode.code;
    }

    /// Whether another server may know better: this one failed, or does not want to (RFC 1035 §4.1.1).
    public boolean isUnhelpful() {
        return isError(Rcode.SERVFAIL) || isError(Rcode.REFUSED) || isError(Rcode.NOTIMP) || isError(Rcode.FORMERR);
    }

    private int rcode() {
        return message[3] & 0x0f;
    }

    public String rcodeText() {
        return Rcode.text(rcode());
    }

    /// Records of the answer, as the header says.
    public int answers() {
        return Cursor.u16(message, 6);
    }

    /// Bytes for who asked: our id is his again, the server's authority is not ours. What is longer than `limit` is cut
    /// to the question, with TC.
    public byte[] forClient(Query query, int limit) {
        if (message.length > limit) {
            return Answers.truncated(query);
        }
        var copy = message.clone();
        copy[0] = (byte) (query.id() >> 8);
        copy[1] = (byte) query.id();
        copy[2] = (byte) (copy[2] & ~0x04);
        copy[3] = (byte) (copy[3] | 0x80);
        return copy;
    }

    /// The addresses among the answers; what is out of form ends the list.
    public List<InetAddress> addresses() {
        var found = new ArrayList<InetAddress>();
        var cursor = new Cursor(message, Query.HEADER_BYTES);
        try {
            for (var i = Cursor.u16(message, 4); i > 0; i--) {
                cursor.name();
                cursor.skip(4);
            }
            for (var i = answers(); i > 0; i--) {
                cursor.name();
                var type = cursor.u16();
                cursor.skip(6);
                var length = cursor.u16();
                var start = cursor.at();
                cursor.skip(length);
                if ((type == RecordType.A && length == 4) || (type == RecordType.AAAA && length == 16)) {
                    found.add(Addresses.ofBytes(Arrays.copyOfRange(message, start, start + length)));
                }
            }
        } catch (OutOfFormException _) {
            return found;
        }
        return found;
    }
}
