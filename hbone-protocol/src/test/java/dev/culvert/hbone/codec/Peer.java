package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A scripted peer of one connection: writes frames byte by byte as told, and reads back what came.
final class Peer implements ConnectionListener, AutoCloseable {
    /// @param payload of the frame
    record Frame(int type, int flags, int streamId, List<Byte> payload) {
        int u32(int at) {
            return (payload.get(at) & 0xff) << 24
                    | (payload.get(at + 1) & 0xff) << 16
                    | (payload.get(at + 2) & 0xff) << 8
                    | (payload.get(at + 3) & 0xff);
        }
    }

    /// What a stream of ours saw.
    static final class Seen implements StreamListener {
        final StringBuilder data = new StringBuilder();
        final boolean deliver;
        boolean ended;

        @Nullable
        StreamFailure failure;

        @Nullable
        Http2Headers headers;

        Seen(boolean deliver) {
            this.deliver = deliver;
        }

        @Override
        public void headers(HboneStream stream, Http2Headers answer, boolean endStream) {
            headers = answer;
        }

        @Override
        public void data(HboneStream stream, ByteBuf piece) {
            var bytes = piece.readableBytes();
            data.append(piece.toString(StandardCharsets.US_ASCII));
            piece.release();
            if (deliver) {
                stream.delivered(bytes);
            }
        }

        @Override
        public void ended(HboneStream stream) {
            ended = true;
        }

        @Override
        public void failed(HboneStream stream, StreamFailure why) {
            failure = why;
        }

        @Override
        public void sent(HboneStream stream, int bytes) {}
    }

    final EmbeddedChannel channel = new EmbeddedChannel();
    final HboneConnection connection;
    final LoopLimits loop = new LoopLimits(4 << 20);
    final List<HboneStream> accepted = new ArrayList<>();
    final List<Seen> seen = new ArrayList<>();
    final boolean deliver;

    @Nullable
    ErrorCode broken;

    private final HeaderBlocks hpack = new HeaderBlocks(channel.alloc(), 65536);
    private final ByteBuf received = Unpooled.buffer();

    private Peer(boolean client, boolean deliver) {
        this(client, deliver, false);
    }

    private Peer(boolean client, boolean deliver, boolean draining) {
        this.deliver = deliver;
        connection = new HboneConnection(client, this, H2Limits.DEFAULTS, loop);
        channel.freezeTime(); // floods are rates: a slow machine must not make them harmless
        if (draining) {
            connection.drain();
        }
        channel.pipeline().addLast(connection);
    }

    /// A server of ours, with the preface and empty SETTINGS sent.
    static Peer ofServer() {
        var peer = ofServer(true);
        peer.preface();
        return peer;
    }

    /// One that is drained before it is in a pipeline.
    static Peer ofDrainingServer() {
        var peer = new Peer(false, true, true);
        peer.preface();
        return peer;
    }

    static Peer ofServer(boolean deliver) {
        return new Peer(false, deliver);
    }

    void preface() {
        var bytes = channel.alloc().buffer();
        PrefaceReader.write(bytes);
        send(bytes);
        frame(FrameTypes.SETTINGS, 0, 0);
    }

    @Override
    public void accepted(HboneStream stream, Http2Headers headers) {
        var listener = new Seen(deliver);
        stream.listener(listener);
        accepted.add(stream);
        seen.add(listener);
    }

    @Override
    public void broken(ErrorCode code, String why) {
        broken = code;
    }

    /// What comes after the end is lost, as on a real connection.
    void send(ByteBuf bytes) {
        if (!channel.isOpen()) {
            bytes.release();
            return;
        }
        channel.writeInbound(bytes);
        channel.runPendingTasks();
    }

    void frame(int type, int flags, int streamId, int... payload) {
        send(bytes(type, flags, streamId, payload));
    }

    ByteBuf bytes(int type, int flags, int streamId, int... payload) {
        var out = channel.alloc().buffer();
        out.writeMedium(payload.length).writeByte(type).writeByte(flags).writeInt(streamId);
        for (var octet : payload) {
            out.writeByte(octet);
        }
        return out;
    }

    /// A HEADERS frame with a CONNECT.
    ByteBuf connect(int streamId, String authority) {
        return headers(streamId, new DefaultHttp2Headers().method("CONNECT").authority(authority));
    }

    void request(int streamId, Http2Headers headers) {
        send(headers(streamId, headers));
    }

    private ByteBuf headers(int streamId, Http2Headers headers) {
        var block = hpack.encode(channel.alloc(), streamId, headers);
        var out = channel.alloc().buffer();
        out.writeMedium(block.readableBytes()).writeByte(FrameTypes.HEADERS).writeByte(FrameTypes.END_HEADERS);
        out.writeInt(streamId).writeBytes(block);
        block.release();
        return out;
    }

    void data(int streamId, int flags, String text) {
        frame(FrameTypes.DATA, flags, streamId, text.chars().toArray());
    }

    /// All frames that came since the last call; ours as a client must have sent the preface before.
    List<Frame> frames() {
        channel.runPendingTasks();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            received.writeBytes(out);
            out.release();
        }
        var frames = new ArrayList<Frame>();
        while (received.readableBytes() >= FrameDecoder.HEADER_BYTES) {
            var length = received.readUnsignedMedium();
            var type = received.readUnsignedByte();
            var flags = received.readUnsignedByte();
            var streamId = received.readInt();
            var payload = new ArrayList<Byte>(length);
            for (var i = 0; i < length; i++) {
                payload.add(received.readByte());
            }
            frames.add(new Frame(type, flags, streamId, payload));
        }
        return frames;
    }

    List<Frame> frames(int type) {
        return frames().stream().filter(frame -> frame.type == type).toList();
    }

    @Override
    public void close() {
        channel.finishAndReleaseAll();
        hpack.close();
        received.release();
    }
}
