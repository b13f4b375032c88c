package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;

/// Settings of one side of a connection (RFC 9113 §6.5.2).
/// @param maxConcurrentStreams of streams the *other* side may open
public record H2Settings(
        int headerTableSize,
        long maxConcurrentStreams,
        int initialWindowBytes,
        int maxFrameBytes,
        long maxHeaderListBytes) {
    /// What a peer has that has not said anything yet.
    public static final H2Settings DEFAULTS = new H2Settings(4096, Long.MAX_VALUE, 65535, 16384, Long.MAX_VALUE);

    private static final int HEADER_TABLE_SIZE = 1;
    private static final int ENABLE_PUSH = 2;
    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int INITIAL_WINDOW_SIZE = 4;
    private static final int MAX_FRAME_SIZE = 5;
    private static final int MAX_HEADER_LIST_SIZE = 6;

    /// Appends the payload of a SETTINGS frame. A client turns push off and says nothing of streams it accepts none
    /// of.
    void write(ByteBuf out, boolean client) {
        if (client) {
            put(out, ENABLE_PUSH, 0);
        } else {
            put(out, MAX_CONCURRENT_STREAMS, maxConcurrentStreams);
        }
        put(out, INITIAL_WINDOW_SIZE, initialWindowBytes);
        put(out, MAX_FRAME_SIZE, maxFrameBytes);
        put(out, MAX_HEADER_LIST_SIZE, maxHeaderListBytes);
    }

    private static void put(ByteBuf out, int id, long value) {
        out.writeShort(id).writeInt((int) value);
    }

    /// These settings with the changes of a SETTINGS payload; unknown ones are ignored.
    H2Settings with(ByteBuf payload, boolean fromServer) throws H2Exception {
        var next = this;
        while (payload.isReadable()) {
            next = next.with(payload.readUnsignedShort(), payload.readUnsignedInt(), fromServer);
        }
        return next;
    }

    private H2Settings with(int id, long value, boolean fromServer) throws H2Exception {
        return switch (id) {
            case HEADER_TABLE_SIZE ->
                new H2Settings(
                        (int) Math.min(value, 65536),
                        maxConcurrentStreams,
                        initialWindowBytes,
                        maxFrameBytes,
                        maxHeaderListBytes);
            case ENABLE_PUSH -> {
                if (value > 1 || (fromServer && value != 0)) {
                    throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH " + value);
                }
                yield this;
            }
            case MAX_CONCURRENT_STREAMS ->
                new H2Settings(headerTableSize, value, initialWindowBytes, maxFrameBytes, maxHeaderListBytes);
            case INITIAL_WINDOW_SIZE -> {
                if (value > Integer.MAX_VALUE) {
                    throw new H2Exception(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE " + value);
                }
                yield new H2Settings(
                        headerTableSize, maxConcurrentStreams, (int) value, maxFrameBytes, maxHeaderListBytes);
            }
            case MAX_FRAME_SIZE -> {
                if (value < 16384 || value > 16777215) {
                    throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE " + value);
                }
                yield new H2Settings(
                        headerTableSize, maxConcurrentStreams, initialWindowBytes, (int) value, maxHeaderListBytes);
            }
            case MAX_HEADER_LIST_SIZE ->
                new H2Settings(headerTableSize, maxConcurrentStreams, initialWindowBytes, maxFrameBytes, value);
            default -> this;
        };
    }
}
