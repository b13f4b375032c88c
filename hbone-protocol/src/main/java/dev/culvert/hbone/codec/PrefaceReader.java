package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/// The client's connection preface (RFC 9113 §3.4), as bytes to send and as a reader of what came.
final class PrefaceReader {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private int matched;

    static void write(ByteBuf out) {
        out.writeBytes(PREFACE);
    }

    /// True once the preface is complete.
    boolean read(ByteBuf in) throws H2Exception {
        while (matched < PREFACE.length && in.isReadable()) {
            if (in.readByte() != PREFACE[matched++]) {
                throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "not an HTTP/2 preface");
            }
        }
        return matched == PREFACE.length;
    }
}
