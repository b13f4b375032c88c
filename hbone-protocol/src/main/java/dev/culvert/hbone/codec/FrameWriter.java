package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;

/// Writes frames to the channel without flushing. Confined to the connection's loop.
final class FrameWriter {
    private final ChannelHandlerContext context;

    FrameWriter(ChannelHandlerContext context) {
        this.context = context;
    }

    private ByteBuf start(int payloadBytes, int type, int flags, int streamId) {
        var out = context.alloc().directBuffer(FrameDecoder.HEADER_BYTES + payloadBytes);
        return header(out, payloadBytes, type, flags, streamId);
    }

    private static ByteBuf header(ByteBuf out, int payloadBytes, int type, int flags, int streamId) {
        return out.writeMedium(payloadBytes).writeByte(type).writeByte(flags).writeInt(streamId);
    }

    private void write(ByteBuf out) {
        context.write(out, context.voidPromise());
    }

    void raw(ByteBuf bytes) {
        write(bytes);
    }

    void settings(H2Settings settings, boolean client) {
        var payload = context.alloc().heapBuffer(64);
        settings.write(payload, client);
        write(start(payload.readableBytes(), FrameTypes.SETTINGS, 0, 0).writeBytes(payload));
        payload.release();
    }

    void settingsAck() {
        write(start(0, FrameTypes.SETTINGS, FrameTypes.ACK, 0));
    }

    void ping(long opaque, boolean ack) {
        write(start(8, FrameTypes.PING, ack ? FrameTypes.ACK : 0, 0).writeLong(opaque));
    }

    void windowUpdate(int streamId, int increment) {
        write(start(4, FrameTypes.WINDOW_UPDATE, 0, streamId).writeInt(increment));
    }

    void reset(int streamId, ErrorCode code) {
        write(start(4, FrameTypes.RST_STREAM, 0, streamId).writeInt(code.code()));
    }

    void goAway(int lastStreamId, ErrorCode code, String debug) {
        var text = debug.getBytes(StandardCharsets.US_ASCII);
        write(start(8 + text.length, FrameTypes.GOAWAY, 0, 0)
                .writeInt(lastStreamId)
                .writeInt(code.code())
                .writeBytes(text));
    }

    /// Writes a header block, split into CONTINUATION frames where it is longer than a frame; releases `block`.
    void headers(int streamId, ByteBuf block, boolean endStream, int maxFrameBytes) {
        var first = Math.min(block.readableBytes(), maxFrameBytes);
        var last = first == block.readableBytes();
        var flags = (endStream ? FrameTypes.END_STREAM : 0) | (last ? FrameTypes.END_HEADERS : 0);
        write(start(first, FrameTypes.HEADERS, flags, streamId).writeBytes(block, first));
        while (block.isReadable()) {
            var bytes = Math.min(block.readableBytes(), maxFrameBytes);
            var end = bytes == block.readableBytes() ? FrameTypes.END_HEADERS : 0;
            write(start(bytes, FrameTypes.CONTINUATION, end, streamId).writeBytes(block, bytes));
        }
        block.release();
    }

    /// Writes one DATA frame of a buffer that nobody else sees and that has room for the frame header in front; takes
    /// ownership.
    void dataInPlace(int streamId, ByteBuf buffer, boolean endStream) {
        var bytes = buffer.readableBytes();
        var end = buffer.writerIndex();
        var start = buffer.readerIndex() - FrameDecoder.HEADER_BYTES;
        buffer.setIndex(start, start);
        header(buffer, bytes, FrameTypes.DATA, endStream ? FrameTypes.END_STREAM : 0, streamId);
        buffer.writerIndex(end);
        write(buffer);
    }

    /// Writes one DATA frame, its header in a buffer of its own; takes ownership.
    void data(int streamId, ByteBuf payload, boolean endStream) {
        write(dataHeader(payload.readableBytes(), endStream, streamId));
        write(payload);
    }

    void emptyData(int streamId) {
        write(dataHeader(0, true, streamId));
    }

    private ByteBuf dataHeader(int payloadBytes, boolean endStream, int streamId) {
        var out = context.alloc().directBuffer(FrameDecoder.HEADER_BYTES);
        return header(out, payloadBytes, FrameTypes.DATA, endStream ? FrameTypes.END_STREAM : 0, streamId);
    }
}
