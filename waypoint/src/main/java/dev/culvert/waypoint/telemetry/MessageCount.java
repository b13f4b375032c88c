package dev.culvert.waypoint.telemetry;

import io.netty.buffer.ByteBuf;

/// Counts the messages that go one way of a gRPC call, however they are cut into pieces: a flag, four bytes of length,
/// the message ("gRPC over HTTP/2", Length-Prefixed-Message). One counts once its prefix has come whole. Confined to
/// its loop.
final class MessageCount {
    private static final int PREFIX_BYTES = 5;

    private int prefix;
    private long length;
    private long left;
    private long count;

    /// @param data left as it is
    void read(ByteBuf data) {
        var at = data.readerIndex();
        while (at < data.writerIndex()) {
            if (left > 0) {
                var skipped = (int) Math.min(left, data.writerIndex() - at);
                left -= skipped;
                at += skipped;
                continue;
            }
            length = prefix == 0 ? 0 : (length << 8) | data.getUnsignedByte(at);
            at++;
            prefix++;
            if (prefix == PREFIX_BYTES) {
                count++;
                left = length;
                prefix = 0;
            }
        }
    }

    long count() {
        return count;
    }
}
