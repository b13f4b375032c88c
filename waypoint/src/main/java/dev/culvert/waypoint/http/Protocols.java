package dev.culvert.waypoint.http;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/// Tells HTTP from other bytes by their beginning; pure.
final class Protocols {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_METHOD = 32;

    /// What the first bytes of a connection look like.
    enum Guess {
        HTTP1,
        HTTP2,
        OTHER,
        UNDECIDED
    }

    private Protocols() {}

    static Guess guess(ByteBuf bytes) {
        var preface = prefaceSoFar(bytes);
        if (preface == PREFACE.length) {
            return Guess.HTTP2;
        }
        return preface == bytes.readableBytes() ? Guess.UNDECIDED : requestLine(bytes);
    }

    private static int prefaceSoFar(ByteBuf bytes) {
        var length = Math.min(bytes.readableBytes(), PREFACE.length);
        for (var i = 0; i < length; i++) {
            if (bytes.getByte(bytes.readerIndex() + i) != PREFACE[i]) {
                return i;
            }
        }
        return length;
    }

    /// A token, a space, and HTTP/1 at the end of the line (RFC 9112 §3).
    private static Guess requestLine(ByteBuf bytes) {
        var start = bytes.readerIndex();
        var method = 0;
        while (method < bytes.readableBytes() && isToken(bytes.getByte(start + method))) {
            method++;
        }
        if (method > MAX_METHOD || method == 0) {
            return Guess.OTHER;
        }
        if (method == bytes.readableBytes()) {
            return Guess.UNDECIDED;
        }
        if (bytes.getByte(start + method) != ' ') {
            return Guess.OTHER;
        }
        var end = bytes.indexOf(start, bytes.writerIndex(), (byte) '\n');
        if (end < 0) {
            return Guess.UNDECIDED;
        }
        var line =
                bytes.toString(start, end - start, StandardCharsets.ISO_8859_1).stripTrailing();
        return line.endsWith(" HTTP/1.1") || line.endsWith(" HTTP/1.0") ? Guess.HTTP1 : Guess.OTHER;
    }

    private static boolean isToken(byte b) {
        return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '-' || b == '_';
    }
}
