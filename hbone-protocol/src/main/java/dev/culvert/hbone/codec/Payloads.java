package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;

/// Reads and checks the payloads of control frames (RFC 9113 §6).
final class Payloads {
    private Payloads() {}

    static ByteBuf headerFragment(int flags, int streamId, ByteBuf payload) throws H2Exception {
        if (streamId == 0) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0");
        }
        var padded = (flags & FrameTypes.PADDED) != 0;
        var priority = (flags & FrameTypes.HAS_PRIORITY) != 0;
        if (payload.readableBytes() < (padded ? 1 : 0) + (priority ? 5 : 0)) {
            throw new H2Exception(ErrorCode.FRAME_SIZE_ERROR, "HEADERS too short");
        }
        var padding = padded ? payload.readUnsignedByte() : 0;
        if (priority) {
            if ((payload.readInt() & 0x7fffffff) == streamId) {
                throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "stream " + streamId + " depends on itself");
            }
            payload.skipBytes(1);
        }
        if (padding > payload.readableBytes()) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "padding longer than HEADERS");
        }
        return payload.readSlice(payload.readableBytes() - padding);
    }

    static void checkSettings(int streamId, boolean ack, ByteBuf payload) throws H2Exception {
        if (streamId != 0) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "SETTINGS on stream " + streamId);
        }
        if (payload.readableBytes() % 6 != 0 || (ack && payload.isReadable())) {
            throw new H2Exception(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of " + payload.readableBytes() + " bytes");
        }
    }

    static long ping(int streamId, ByteBuf payload) throws H2Exception {
        if (streamId != 0) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "PING on stream " + streamId);
        }
        if (payload.readableBytes() != 8) {
            throw new H2Exception(ErrorCode.FRAME_SIZE_ERROR, "PING of " + payload.readableBytes() + " bytes");
        }
        return payload.readLong();
    }

    static int windowUpdate(ByteBuf payload) throws H2Exception {
        if (payload.readableBytes() != 4) {
            throw new H2Exception(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE of " + payload.readableBytes() + " bytes");
        }
        return payload.readInt() & 0x7fffffff;
    }
}
