package dev.culvert.ztunnel.dns.message;

import dev.culvert.ztunnel.dns.message.Cursor.OutOfFormException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A message with one question, as it was asked. Immutable.
public final class Query {
    static final int HEADER_BYTES = 12;
    private static final int UDP_WITHOUT_EDNS = 512;
    /// Records that a question may carry along; one OPT and perhaps a signature are usual.
    private static final int MAX_RECORDS = 16;

    private final byte[] message;
    private final int nameEnd;
    private final @Nullable Edns edns;

    private Query(byte[] message, int nameEnd, @Nullable Edns edns) {
        this.message = message;
        this.nameEnd = nameEnd;
        this.edns = edns;
    }

    /// Reads what came from an application. Standard queries only (RFC 1035 §4.1.1).
    /// @throws BadMessageException with the answer that it deserves
    public static Query read(byte[] bytes) throws BadMessageException {
        if (bytes.length < HEADER_BYTES || (bytes[2] & 0x80) != 0) {
            throw new BadMessageException("not a question", new byte[0]);
        }
        if ((bytes[2] & 0x78) != 0) {
            throw new BadMessageException("opcode " + ((bytes[2] & 0x78) >> 3), bare(bytes, Rcode.NOTIMP));
        }
        try {
            return parse(bytes.clone());
        } catch (OutOfFormException e) {
            throw new BadMessageException(String.valueOf(e.getMessage()), bare(bytes, Rcode.FORMERR));
        }
    }

    private static Query parse(byte[] bytes) throws OutOfFormException {
        if (Cursor.u16(bytes, 4) != 1) {
            throw new OutOfFormException(Cursor.u16(bytes, 4) + " questions");
        }
        var cursor = new Cursor(bytes, HEADER_BYTES);
        var nameEnd = HEADER_BYTES + cursor.plainName();
        cursor.skip(4);
        var records = Cursor.u16(bytes, 6) + Cursor.u16(bytes, 8) + Cursor.u16(bytes, 10);
        if (records > MAX_RECORDS) {
            throw new OutOfFormException(records + " records with a question");
        }
        Edns edns = null;
        for (var i = 0; i < records; i++) {
            var root = bytes.length > cursor.at() && bytes[cursor.at()] == 0;
            cursor.name();
            var type = cursor.u16();
            var payload = cursor.u16();
            cursor.skip(1);
            var version = cursor.u8();
            cursor.skip(2);
            cursor.skip(cursor.u16());
            if (type == RecordType.OPT) {
                if (!root || edns != null) {
                    throw new OutOfFormException("a second OPT record, or one with a name"); // RFC 6891 §6.1.1
                }
                edns = new Edns(version, payload);
            }
        }
        if (cursor.at() != bytes.length) {
            throw new OutOfFormException((bytes.length - cursor.at()) + " bytes behind the last record");
        }
        return new Query(bytes, nameEnd, edns);
    }

    /// Our own question, for a name in its text form.
    /// @param name without final dot
    /// @throws BadMessageException if it cannot be a name
    public static Query of(String name, int type) throws BadMessageException {
        var labels = name.split("\\.", -1);
        var length = name.length() + 2;
        if (length > Cursor.MAX_NAME_BYTES || !name.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
            throw new BadMessageException("not a host name: " + name, new byte[0]);
        }
        for (var label : labels) {
            if (label.isEmpty() || label.length() > 63) {
                throw new BadMessageException("not a host name: " + name, new byte[0]);
            }
        }
        var bytes = Arrays.copyOf(new byte[] {0, 0, 1, 0, 0, 1}, HEADER_BYTES + length + 4);
        var encoded = encode(name);
        System.arraycopy(encoded, 0, bytes, HEADER_BYTES, length);
        bytes[HEADER_BYTES + length] = (byte) (type >> 8);
        bytes[HEADER_BYTES + length + 1] = (byte) type;
        bytes[HEADER_BYTES + length + 3] = RecordType.IN;
        return new Query(bytes, HEADER_BYTES + length, null);
    }

    /// A name of ASCII labels, without final dot, in wire form.
    static byte[] encode(String name) {
        var bytes = new byte[name.length() + 2];
        var at = 0;
        for (var label : name.split("\\.", -1)) {
            bytes[at++] = (byte) label.length();
            for (var i = 0; i < label.length(); i++) {
                bytes[at++] = (byte) label.charAt(i);
            }
        }
        return bytes;
    }

    /// A header alone: who asks so has no question that could be said back.
    private static byte[] bare(byte[] bytes, Rcode rcode) {
        var answer = Arrays.copyOf(Arrays.copyOf(bytes, 4), HEADER_BYTES);
        answer[2] = (byte) (0x80 | (bytes[2] & 0x79));
        answer[3] = (byte) rcode.code;
        return answer;
    }

    /// The whole message with another id.
    public byte[] bytes(int id) {
        var copy = message.clone();
        copy[0] = (byte) (id >> 8);
        copy[1] = (byte) id;
        return copy;
    }

    int id() {
        return Cursor.u16(message, 0);
    }

    /// RD and CD, which answers repeat (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
    boolean recursionDesired() {
        return (message[2] & 1) != 0;
    }

    boolean checkingDisabled() {
        return (message[3] & 0x10) != 0;
    }

    public int type() {
        return Cursor.u16(message, nameEnd);
    }

    public int dnsClass() {
        return Cursor.u16(message, nameEnd + 2);
    }

    @Nullable
    Edns edns() {
        return edns;
    }

    /// Bytes that an answer by UDP may have.
    public int udpLimit() {
        return edns == null ? UDP_WITHOUT_EDNS : edns.payload();
    }

    /// The question as bytes: name, type, class.
    byte[] question() {
        return Arrays.copyOfRange(message, HEADER_BYTES, nameEnd + 4);
    }

    /// The name's wire form, in lower case. (A length is below 'A'.)
    byte[] lowerName() {
        var name = Arrays.copyOfRange(message, HEADER_BYTES, nameEnd);
        for (var i = 0; i < name.length; i++) {
            if (name[i] >= 'A' && name[i] <= 'Z') {
                name[i] = (byte) (name[i] + ('a' - 'A'));
            }
        }
        return name;
    }

    /// Whether the name can be a host's: printable ASCII, no dot within a label, not the root.
    public boolean isHostname() {
        var at = HEADER_BYTES;
        while (at < nameEnd - 1) {
            var end = at + 1 + message[at];
            for (at++; at < end; at++) {
                if (message[at] <= 0x20 || message[at] == 0x7f || message[at] == '.' || message[at] == '\\') {
                    return false;
                }
            }
        }
        return nameEnd > HEADER_BYTES + 1;
    }

    /// The name as text (RFC 1035 §5.1) in lower case, without final dot; the root is "".
    public String name() {
        var text = new StringBuilder(nameEnd - HEADER_BYTES);
        var name = lowerName();
        var at = 0;
        while (name[at] != 0) {
            var end = at + 1 + name[at];
            if (at > 0) {
                text.append('.');
            }
            for (at++; at < end; at++) {
                append(text, name[at] & 0xff);
            }
        }
        return text.toString();
    }

    private static void append(StringBuilder text, int c) {
        if (c == '.' || c == '\\') {
            text.append('\\').append((char) c);
        } else if (c > 0x20 && c < 0x7f) {
            text.append((char) c);
        } else {
            text.append(String.format(Locale.ROOT, "\\%03d", c));
        }
    }

    @Override
    public String toString() {
        return RecordType.text(type()) + " " + name();
    }
}
