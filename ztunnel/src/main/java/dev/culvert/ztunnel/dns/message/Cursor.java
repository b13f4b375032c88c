package dev.culvert.ztunnel.dns.message;

/// Walks over the parts of a message. Each step is bounded by the message; compression pointers are stepped over, not
/// followed.
final class Cursor {
    /// Of a name in wire form (RFC 1035 §3.1).
    static final int MAX_NAME_BYTES = 255;

    private static final int POINTER = 0xc0;

    private final byte[] message;
    private int at;

    /// The message ends early, or breaks a rule.
    static final class OutOfFormException extends Exception {
        private static final long serialVersionUID = 1L;

        OutOfFormException(String message) {
            super(message, null, false, false);
        }
    }

    Cursor(byte[] message, int at) {
        this.message = message;
        this.at = at;
    }

    int at() {
        return at;
    }

    int u8() throws OutOfFormException {
        require(1);
        return message[at++] & 0xff;
    }

    int u16() throws OutOfFormException {
        require(2);
        at += 2;
        return u16(message, at - 2);
    }

    static int u16(byte[] message, int at) {
        return ((message[at] & 0xff) << 8) | (message[at + 1] & 0xff);
    }

    void skip(int bytes) throws OutOfFormException {
        require(bytes);
        at += bytes;
    }

    private void require(int bytes) throws OutOfFormException {
        if (message.length - at < bytes) {
            throw new OutOfFormException("ends within a field at byte " + at);
        }
    }

    /// Over a name that is written out.
    /// @return its length in bytes, the root's 0 included
    int plainName() throws OutOfFormException {
        var start = at;
        for (var length = u8(); length != 0; length = u8()) {
            if (length > 63) {
                throw new OutOfFormException("no label at byte " + (at - 1));
            }
            skip(length);
            if (at - start >= MAX_NAME_BYTES) {
                throw new OutOfFormException("a name of more than " + MAX_NAME_BYTES + " bytes");
            }
        }
        return at - start;
    }

    /// Over a name that may end in a pointer (RFC 1035 §4.1.4).
    void name() throws OutOfFormException {
        for (var length = u8(); length != 0; length = u8()) {
            if ((length & POINTER) == POINTER) {
                skip(1);
                return;
            }
            if (length > 63) {
                throw new OutOfFormException("no label at byte " + (at - 1));
            }
            skip(length);
        }
    }
}
