package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the peer's frames do to a connection. Confined to the connection's loop.
final class PeerFrames implements FrameDecoder.Sink {
    private static final int USEFUL_BYTES = 1024;

    private final HboneConnection connection;
    private final boolean client;
    private final ConnectionListener listener;
    private final FloodGuard flood = new FloodGuard();
    private final RecentResets resets = new RecentResets();
    private boolean settingsRead;
    private int lastPeerStreamId;
    private int refusedFrom = Integer.MAX_VALUE;

    PeerFrames(HboneConnection connection, boolean client, ConnectionListener listener) {
        this.connection = connection;
        this.client = client;
        this.listener = listener;
    }

    boolean settingsRead() {
        return settingsRead;
    }

    /// DATA went out: the credit for it was of use if it was all that waited, or enough to be worth a frame.
    void sentData(int bytes, boolean all) {
        if (all || bytes >= USEFUL_BYTES) {
            flood.forgive(2 + 2 * (bytes / USEFUL_BYTES)); // of the stream and of the connection
        }
    }

    int lastPeerStreamId() {
        return lastPeerStreamId;
    }

    @Override
    public void dataStarts(int streamId, int bytes, boolean endStream) throws H2Exception {
        beforeAny(FrameTypes.DATA);
        connection.receiveCredit -= bytes;
        if (connection.receiveCredit < 0) {
            throw new H2Exception(
                    PeerLimit.CREDIT, ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the connection has credit for");
        }
        if (bytes == 0 && !endStream) {
            flood.count(connection.nanoTime(), "empty DATA");
        }
        var stream = connection.streams.get(streamId);
        if (stream == null || stream.hasPeerEnded()) {
            strayData(streamId, stream, bytes);
        } else {
            connection.holdCredit(bytes);
            if (!stream.receive(bytes)) {
                connection.loop.reached(PeerLimit.CREDIT);
                streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the stream has credit for");
            }
        }
    }

    /// We have reset a stream; what is on its way is dropped from now on.
    void wasReset(int streamId) {
        resets.add(streamId);
    }

    /// Late frames of a stream that we reset are dropped; after the peer's own end they are an error, counted like
    /// any other reset that it makes us send (RFC 9113 §5.1).
    private void strayData(int streamId, @Nullable HboneStream stream, int bytes) throws H2Exception {
        if (isIdle(streamId)) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "DATA on idle stream " + streamId);
        }
        connection.creditToReturn += bytes;
        if (stream != null) {
            streamError(stream, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM");
        } else if (!resets.contains(streamId)) {
            flood.count(connection.nanoTime(), "DATA on a closed stream");
            connection.writer().reset(streamId, ErrorCode.STREAM_CLOSED);
            wasReset(streamId);
            connection.pumpSoon();
        }
    }

    @Override
    public void data(int streamId, ByteBuf piece) {
        var stream = connection.streams.get(streamId);
        if (stream == null || stream.hasPeerEnded()) {
            piece.release();
        } else {
            stream.listener().data(stream, piece);
        }
    }

    @Override
    public void dataEnds(int streamId, boolean endStream, int paddingBytes) {
        var stream = connection.streams.get(streamId);
        if (stream != null && !stream.hasPeerEnded()) {
            if (paddingBytes > 0) {
                stream.delivered(paddingBytes);
            }
            if (endStream) {
                end(stream);
            }
        }
    }

    private void end(HboneStream stream) {
        stream.peerEnded();
        stream.listener().ended(stream);
        connection.maybeForget(stream);
    }

    @Override
    public void frame(int type, int flags, int streamId, ByteBuf payload) throws H2Exception {
        beforeAny(type);
        switch (type) {
            case FrameTypes.HEADERS -> headers(flags, streamId, payload);
            case FrameTypes.CONTINUATION -> continuation(flags, streamId, payload);
            case FrameTypes.SETTINGS -> settings(flags, streamId, payload);
            case FrameTypes.PING -> ping(flags, streamId, payload);
            case FrameTypes.WINDOW_UPDATE -> windowUpdate(streamId, payload);
            case FrameTypes.RST_STREAM -> rstStream(streamId, payload);
            case FrameTypes.GOAWAY -> goAway(streamId, payload);
            case FrameTypes.PRIORITY -> priority(streamId, payload);
            case FrameTypes.PUSH_PROMISE -> throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE");
            default -> flood.count(connection.nanoTime(), "unknown frame");
        }
    }

    private void beforeAny(int type) throws H2Exception {
        if (blocks().openStreamId() != 0 && type != FrameTypes.CONTINUATION) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "a frame within a header block");
        }
        if (!settingsRead && type != FrameTypes.SETTINGS) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS");
        }
    }

    private void headers(int flags, int streamId, ByteBuf payload) throws H2Exception {
        var fragment = Payloads.headerFragment(flags, streamId, payload);
        checkHeadersStream(streamId);
        blocks().start(streamId, (flags & FrameTypes.END_STREAM) != 0, fragment);
        finishBlock(flags, streamId);
    }

    private void checkHeadersStream(int streamId) throws H2Exception {
        if (client) {
            if (isIdle(streamId)) {
                throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "HEADERS on idle stream " + streamId);
            }
            return;
        }
        if ((streamId & 1) == 0 || (streamId <= lastPeerStreamId && !connection.streams.containsKey(streamId))) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream " + streamId);
        }
    }

    private void continuation(int flags, int streamId, ByteBuf payload) throws H2Exception {
        blocks().continuation(streamId, payload);
        finishBlock(flags, streamId);
    }

    private void finishBlock(int flags, int streamId) throws H2Exception {
        if ((flags & FrameTypes.END_HEADERS) == 0) {
            return;
        }
        var endStream = blocks().openEndStream();
        var headers = blocks().finish();
        var stream = connection.streams.get(streamId);
        if (headers == null) {
            malformed(streamId, stream);
        } else if (stream != null) {
            answered(stream, headers, endStream);
        } else if (!client && !isRequest(headers)) {
            malformed(streamId, null);
        } else if (!client && streamId > lastPeerStreamId) {
            lastPeerStreamId = streamId;
            requested(streamId, headers, endStream);
        }
    }

    /// Whether it has the pseudo-headers that RFC 9113 §8.3.1 and §8.5 ask for.
    private static boolean isRequest(Http2Headers headers) {
        var method = headers.method();
        return method != null
                && (AsciiString.contentEquals("CONNECT", method)
                        || (headers.scheme() != null && headers.path() != null));
    }

    private void malformed(int streamId, @Nullable HboneStream stream) throws H2Exception {
        flood.count(connection.nanoTime(), "malformed headers");
        if (!client && streamId > lastPeerStreamId) {
            lastPeerStreamId = streamId;
        }
        connection.writer().reset(streamId, ErrorCode.PROTOCOL_ERROR);
        wasReset(streamId);
        if (stream != null) {
            connection.streams.remove(streamId);
            HboneConnection.fail(stream, new StreamFailure(ErrorCode.PROTOCOL_ERROR, false, "malformed headers"));
            connection.closeIfDrained();
        }
    }

    private void answered(HboneStream stream, Http2Headers headers, boolean endStream) throws H2Exception {
        if (stream.hasPeerEnded() || (!client && !endStream)) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream " + stream.id() + " in use");
        }
        if (endStream) {
            stream.peerEnded();
        }
        if (client) {
            stream.listener().headers(stream, headers, endStream);
        } else {
            stream.listener().ended(stream);
        }
        connection.maybeForget(stream);
    }

    private void requested(int streamId, Http2Headers headers, boolean endStream) throws H2Exception {
        if (connection.goAwaySent
                || connection.streams.size() >= connection.limits.local().maxConcurrentStreams()) {
            connection.loop.reached(PeerLimit.STREAMS);
            flood.count(connection.nanoTime(), "refused stream");
            connection.writer().reset(streamId, ErrorCode.REFUSED_STREAM);
            wasReset(streamId);
            return;
        }
        var stream = connection.newStream(streamId, DiscardingListener.INSTANCE);
        if (endStream) {
            stream.peerEnded();
        }
        listener.accepted(stream, headers);
    }

    private void settings(int flags, int streamId, ByteBuf payload) throws H2Exception {
        var ack = (flags & FrameTypes.ACK) != 0;
        Payloads.checkSettings(streamId, ack, payload);
        flood.count(connection.nanoTime(), "SETTINGS");
        if (ack) {
            return;
        }
        var before = connection.peer;
        connection.peer = before.with(payload, client);
        settingsRead = true;
        blocks().peerTableSize(connection.peer.headerTableSize());
        addCredit(connection.peer.initialWindowBytes() - before.initialWindowBytes());
        connection.writer().settingsAck();
        listener.ready();
        connection.pumpSoon();
    }

    private void addCredit(int bytes) throws H2Exception {
        for (var stream : connection.streams.values()) {
            var credit = (long) stream.sendCredit + bytes;
            if (credit > Integer.MAX_VALUE) {
                throw new H2Exception(ErrorCode.FLOW_CONTROL_ERROR, "window of stream " + stream.id());
            }
            stream.sendCredit = (int) credit;
            connection.enqueue(stream);
        }
    }

    private void ping(int flags, int streamId, ByteBuf payload) throws H2Exception {
        var opaque = Payloads.ping(streamId, payload);
        if ((flags & FrameTypes.ACK) == 0) {
            flood.count(connection.nanoTime(), "PING");
            connection.writer().ping(opaque, true);
            connection.pumpSoon();
        } else {
            connection.pongReceived(opaque);
        }
    }

    private void windowUpdate(int streamId, ByteBuf payload) throws H2Exception {
        var increment = Payloads.windowUpdate(payload);
        flood.count(connection.nanoTime(), "WINDOW_UPDATE");
        if (streamId == 0) {
            if (increment == 0 || (long) connection.sendCredit + increment > Integer.MAX_VALUE) {
                throw new H2Exception(
                        increment == 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FLOW_CONTROL_ERROR, "WINDOW_UPDATE");
            }
            connection.sendCredit += increment;
            connection.pumpSoon();
            return;
        }
        if (isIdle(streamId)) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE on idle stream " + streamId);
        }
        var stream = connection.streams.get(streamId);
        if (stream != null) {
            streamWindow(stream, increment);
        }
    }

    private void streamWindow(HboneStream stream, int increment) throws H2Exception {
        if (increment == 0) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
        } else if ((long) stream.sendCredit + increment > Integer.MAX_VALUE) {
            streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "WINDOW_UPDATE over the limit");
        } else {
            stream.sendCredit += increment;
            connection.enqueue(stream);
        }
    }

    /// Counted, because a reset of ours lets the peer open the next stream at once (CVE-2025-8671).
    private void streamError(HboneStream stream, ErrorCode code, String why) throws H2Exception {
        flood.count(connection.nanoTime(), why);
        connection.streams.remove(stream.id());
        connection.writer().reset(stream.id(), code);
        wasReset(stream.id());
        HboneConnection.fail(stream, new StreamFailure(code, false, why));
        connection.pumpSoon();
    }

    private void rstStream(int streamId, ByteBuf payload) throws H2Exception {
        if (streamId == 0 || payload.readableBytes() != 4) {
            throw new H2Exception(
                    streamId == 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FRAME_SIZE_ERROR, "malformed RST_STREAM");
        }
        if (isIdle(streamId)) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "RST_STREAM on idle stream " + streamId);
        }
        flood.count(connection.nanoTime(), "RST_STREAM");
        var code = ErrorCode.of(payload.readUnsignedInt());
        var stream = connection.streams.remove(streamId);
        if (stream != null) {
            HboneConnection.fail(stream, new StreamFailure(code, code == ErrorCode.REFUSED_STREAM, "reset by peer"));
            connection.closeIfDrained();
        }
    }

    private void goAway(int streamId, ByteBuf payload) throws H2Exception {
        if (streamId != 0 || payload.readableBytes() < 8) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "malformed GOAWAY");
        }
        connection.goAwayReceived = true;
        refusedFrom = Math.min(refusedFrom, payload.readInt() & 0x7fffffff);
        var code = ErrorCode.of(payload.readUnsignedInt());
        if (client) {
            for (var stream : List.copyOf(connection.streams.values())) {
                if (stream.id() > refusedFrom) {
                    connection.streams.remove(stream.id());
                    HboneConnection.fail(stream, new StreamFailure(code, true, "GOAWAY"));
                }
            }
        }
        listener.goAway();
        connection.closeIfDrained();
    }

    private void priority(int streamId, ByteBuf payload) throws H2Exception {
        if (streamId == 0 || payload.readableBytes() != 5) {
            throw new H2Exception(
                    streamId == 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FRAME_SIZE_ERROR, "malformed PRIORITY");
        }
        flood.count(connection.nanoTime(), "PRIORITY");
    }

    private boolean isIdle(int streamId) {
        var ours = (streamId & 1) == (client ? 1 : 0);
        return ours ? streamId >= connection.nextStreamId : streamId > lastPeerStreamId;
    }

    private HeaderBlocks blocks() throws H2Exception {
        var blocks = connection.blocks;
        if (blocks == null) {
            throw new H2Exception(ErrorCode.INTERNAL_ERROR, "closed");
        }
        return blocks;
    }
}
