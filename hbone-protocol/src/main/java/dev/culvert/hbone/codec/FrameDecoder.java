package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/// Cuts a byte stream into frames (RFC 9113 §4.1). DATA passes through piece by piece as it comes; any other frame is
/// gathered whole first, within a limit. Confined to the connection's loop.
final class FrameDecoder {
    static final int HEADER_BYTES = 9;

    /// One gathered frame other than DATA, or one piece of a DATA frame.
    interface Sink {
        /// The header of a DATA frame; pieces follow. `bytes` counts padding too, all of it against flow control.
        void dataStarts(int streamId, int bytes, boolean endStream) throws H2Exception;

        /// @param piece now owned by the sink
        void data(int streamId, ByteBuf piece) throws H2Exception;

        /// @param paddingBytes of the frame, its length byte included
        void dataEnds(int streamId, boolean endStream, int paddingBytes) throws H2Exception;

        /// @param payload released by the decoder afterwards
        void frame(int type, int flags, int streamId, ByteBuf payload) throws H2Exception;
    }

    private final Sink sink;
    private final ByteBufAllocator allocator;
    private final int maxFrameBytes;
    private final ByteBuf header;

    private boolean inPayload;
    private int type;
    private int flags;
    private int streamId;
    /// Bytes of the current frame's payload (DATA: without padding) still to come.
    private int remaining;
    private int padding;
    private int paddingBytes;
    private boolean padLengthPending;
    private @Nullable ByteBuf gathered;

    FrameDecoder(Sink sink, ByteBufAllocator allocator, int maxFrameBytes) {
        this.sink = sink;
        this.allocator = allocator;
        this.maxFrameBytes = maxFrameBytes;
        this.header = allocator.heapBuffer(HEADER_BYTES, HEADER_BYTES);
    }

    /// Consumes all of `in`; does not release it.
    void decode(ByteBuf in) throws H2Exception {
        while (in.isReadable() || (inPayload && remaining == 0 && padding == 0 && !padLengthPending)) {
            if (!inPayload) {
                readHeader(in);
            } else if (type == FrameTypes.DATA) {
                readData(in);
            } else {
                readWhole(in);
            }
        }
    }

    void close() {
        header.release();
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
    }

    private void readHeader(ByteBuf in) throws H2Exception {
        in.readBytes(header, Math.min(in.readableBytes(), header.writableBytes()));
        if (header.isWritable()) {
            return;
        }
        remaining = header.readUnsignedMedium();
        type = header.readUnsignedByte();
        flags = header.readUnsignedByte();
        streamId = header.readInt() & 0x7fffffff;
        header.clear();
        if (remaining > maxFrameBytes) {
            throw new H2Exception(PeerLimit.FRAME_SIZE, ErrorCode.FRAME_SIZE_ERROR, "frame of " + remaining + " bytes");
        }
        inPayload = true;
        if (type == FrameTypes.DATA) {
            startData();
        }
    }

    private void startData() throws H2Exception {
        padLengthPending = (flags & FrameTypes.PADDED) != 0;
        padding = 0;
        paddingBytes = 0;
        if (streamId == 0 || (padLengthPending && remaining == 0)) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "malformed DATA");
        }
        sink.dataStarts(streamId, remaining, endStream());
    }

    private void readData(ByteBuf in) throws H2Exception {
        if (padLengthPending) {
            padding = in.readUnsignedByte();
            padLengthPending = false;
            paddingBytes = 1 + padding;
            remaining -= paddingBytes;
            if (remaining < 0) {
                throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "padding longer than DATA");
            }
        }
        var bytes = Math.min(remaining, in.readableBytes());
        if (bytes > 0) {
            remaining -= bytes;
            sink.data(streamId, in.readRetainedSlice(bytes));
        }
        var skip = remaining == 0 ? Math.min(padding, in.readableBytes()) : 0;
        in.skipBytes(skip);
        padding -= skip;
        if (remaining == 0 && padding == 0) {
            inPayload = false;
            sink.dataEnds(streamId, endStream(), paddingBytes);
        }
    }

    private void readWhole(ByteBuf in) throws H2Exception {
        if (gathered == null && in.readableBytes() >= remaining) {
            inPayload = false;
            sink.frame(type, flags, streamId, in.readSlice(remaining));
            return;
        }
        var whole = gathered;
        if (whole == null) {
            whole = allocator.buffer(Math.min(remaining, 4096), remaining);
            gathered = whole;
        }
        in.readBytes(
                whole.ensureWritable(Math.min(in.readableBytes(), remaining)), Math.min(in.readableBytes(), remaining));
        finishWhole(whole);
    }

    private void finishWhole(ByteBuf whole) throws H2Exception {
        remaining = whole.maxCapacity() - whole.readableBytes();
        if (remaining == 0) {
            inPayload = false;
            gathered = null;
            try {
                sink.frame(type, flags, streamId, whole);
            } finally {
                whole.release();
            }
        }
    }

    private boolean endStream() {
        return (flags & FrameTypes.END_STREAM) != 0;
    }
}
