package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.collection.IntObjectHashMap;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HTTP/2 connection that carries CONNECT streams, either end (RFC 9113 as far as tunnels need it). It sits
/// behind TLS as the last handler. Confined to its loop.
///
/// Sending is byte-fair: streams with bytes and credit take turns of one quantum. Receiving gives a stream's credit
/// back on delivery, and the connection's on receipt while the loop's [LoopLimits] has room, on delivery after
/// that.
public final class HboneConnection extends ChannelInboundHandlerAdapter {
    /// Bytes that one stream may send before the next has its turn: four TLS records less the frame header.
    static final int QUANTUM_BYTES = 4 * 16384 - FrameDecoder.HEADER_BYTES;

    /// Bytes handed to TLS between two looks at whether the socket keeps up.
    private static final int BURST_BYTES = 256 * 1024;

    private static final long DRAIN_PING = 0x64726169_6e696e67L;
    /// How long a peer has to answer the PING of a drain.
    private static final int DRAIN_SECONDS = 1;

    private final ConnectionListener listener;
    private final boolean client;
    final H2Limits limits;
    final LoopLimits loop;
    final IntObjectHashMap<HboneStream> streams = new IntObjectHashMap<>();
    private final ArrayDeque<HboneStream> ready = new ArrayDeque<>();
    private final Runnable pump = this::pump;
    private final PeerFrames frames;

    private @Nullable ChannelHandlerContext ctx;
    private @Nullable FrameDecoder decoder;
    private @Nullable FrameWriter writer;

    @Nullable
    HeaderBlocks blocks;

    @Nullable
    Keepalive keepalive;

    H2Settings peer = H2Settings.DEFAULTS;
    private final PrefaceReader preface = new PrefaceReader();
    private boolean prefaceRead;
    private boolean pumpScheduled;
    private boolean broken;

    int sendCredit = 65535;
    int receiveCredit = 65535;
    int creditToReturn;
    int creditHeldBack;

    int nextStreamId;
    boolean goAwayReceived;
    boolean goAwaySent;
    private boolean draining;
    private boolean drainAtOnce;

    public HboneConnection(boolean client, ConnectionListener listener, H2Limits limits, LoopLimits loop) {
        this.client = client;
        this.listener = listener;
        this.limits = limits;
        this.frames = new PeerFrames(this, client, listener);
        this.loop = loop;
        this.nextStreamId = client ? 1 : 2;
        this.prefaceRead = client;
    }

    // ---- for those who use the connection ----

    /// Opens a CONNECT stream (client side); null if the connection takes no more streams.
    public @Nullable HboneStream open(Http2Headers headers, StreamListener listener) {
        assert inLoop();
        if (!canOpen()) {
            return null;
        }
        var stream = newStream(nextStreamId, listener);
        nextStreamId += 2;
        writeHeaders(stream, headers, false);
        pumpSoon();
        return stream;
    }

    /// Whether a new stream has a chance here.
    public boolean canOpen() {
        return ctx != null
                && !broken
                && !goAwayReceived
                && !goAwaySent
                && nextStreamId > 0
                && streams.size() < Math.min(peer.maxConcurrentStreams(), limits.maxStreams());
    }

    /// What carries it; it must be in a pipeline.
    public Channel channel() {
        return context().channel();
    }

    public int openStreams() {
        return streams.size();
    }

    /// Takes no more streams, serves those that are open, then closes (RFC 9113 §6.8). A server first says so, and
    /// names the last stream only when the peer has heard it: what was on its way meanwhile is still served. One
    /// that is not in a pipeline yet does so when it is.
    public void drain() {
        assert inLoop();
        if (ctx == null) {
            drainAtOnce = true;
            return;
        }
        if (broken || goAwaySent || draining) {
            return;
        }
        if (client) {
            endDrain();
            return;
        }
        draining = true;
        writer().goAway(Integer.MAX_VALUE, ErrorCode.NO_ERROR, "draining");
        writer().ping(DRAIN_PING, false);
        context().flush();
        context().executor().schedule(this::endDrain, DRAIN_SECONDS, TimeUnit.SECONDS);
    }

    private void endDrain() {
        if (broken || goAwaySent) {
            return;
        }
        goAwaySent = true;
        writer().goAway(frames.lastPeerStreamId(), ErrorCode.NO_ERROR, "draining");
        context().flush();
        closeIfDrained();
    }

    /// Ends everything now; streams fail with `code`.
    public void abort(ErrorCode code, String why) {
        assert inLoop();
        if (ctx != null && !broken) {
            breakDown(code, why);
        }
    }

    /// What was written still goes out.
    public void close() {
        if (ctx != null) {
            ctx.flush(); // TLS drops what it has not seen by then
            ctx.close();
        }
    }

    // ---- channel events ----

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        var alloc = context.alloc();
        writer = new FrameWriter(context);
        decoder = new FrameDecoder(frames, alloc, limits.local().maxFrameBytes());
        blocks = new HeaderBlocks(alloc, limits.local().maxHeaderListBytes());
        if (client) {
            var preamble = alloc.directBuffer(32);
            PrefaceReader.write(preamble);
            writer().raw(preamble);
        }
        writer().settings(limits.local(), client);
        var more = limits.connectionWindowBytes() - receiveCredit;
        if (more > 0) {
            receiveCredit += more;
            writer().windowUpdate(0, more);
        }
        context.flush();
        keepalive = new Keepalive(context.executor(), limits.pingEvery(), limits.pingTimeout(), new Pings());
        if (drainAtOnce) {
            drain();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var in = (ByteBuf) message;
        try {
            if (!broken) {
                readPreface(in);
                if (prefaceRead && decoder != null) {
                    decoder.decode(in);
                }
            }
        } catch (H2Exception bad) {
            loop.reached(bad.limit());
            breakDown(bad.code(), String.valueOf(bad.getMessage()));
        } finally {
            in.release();
        }
    }

    private void readPreface(ByteBuf in) throws H2Exception {
        if (!prefaceRead) {
            prefaceRead = preface.read(in);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        returnConnectionCredit();
        pumpSoon();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable()) {
            pumpSoon();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        broken = true;
        failAll(new StreamFailure(ErrorCode.INTERNAL_ERROR, true, "connection closed"));
        release();
        listener.closed();
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        breakDown(ErrorCode.INTERNAL_ERROR, cause.toString());
    }

    private void breakDown(ErrorCode code, String why) {
        if (broken) {
            return;
        }
        broken = true;
        if (ctx != null && ctx.channel().isActive()) {
            writer().goAway(frames.lastPeerStreamId(), code, why);
            ctx.flush();
        }
        listener.broken(code, why);
        // NO_ERROR is for the peer's ears: what the streams carried has not come to its end.
        failAll(new StreamFailure(code == ErrorCode.NO_ERROR ? ErrorCode.INTERNAL_ERROR : code, false, why));
        context().close();
    }

    private void failAll(StreamFailure failure) {
        for (var stream : List.copyOf(streams.values())) {
            streams.remove(stream.id());
            fail(stream, failure);
        }
    }

    static void fail(HboneStream stream, StreamFailure failure) {
        stream.die();
        stream.listener().failed(stream, failure);
    }

    private void release() {
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
        if (blocks != null) {
            blocks.close();
            blocks = null;
        }
        if (keepalive != null) {
            keepalive.stop();
            keepalive = null;
        }
    }

    // ---- sending ----

    void enqueue(HboneStream stream) {
        if (!stream.queued && stream.wantsToSend()) {
            stream.queued = true;
            ready.add(stream);
        }
        pumpSoon();
    }

    /// Runs the pump once after the events of this turn of the loop, so that their bytes share one flush.
    void pumpSoon() {
        if (!pumpScheduled && ctx != null) {
            pumpScheduled = true;
            ctx.executor().execute(pump);
        }
    }

    private void pump() {
        pumpScheduled = false;
        if (broken || ctx == null) {
            return;
        }
        do {
            var burst = 0;
            while (burst < BURST_BYTES
                    && !ready.isEmpty()
                    && context().channel().isWritable()) {
                if (!mayTakeTurn(ready.element())) {
                    break;
                }
                burst += takeTurn(ready.remove());
            }
            context().flush();
            if (burst < BURST_BYTES) {
                break;
            }
        } while (context().channel().isWritable());
    }

    /// Without credit of the connection only an END_STREAM of its own can go.
    private boolean mayTakeTurn(HboneStream stream) {
        return sendCredit > 0 || stream.waitingBytes() == 0;
    }

    private int takeTurn(HboneStream stream) {
        stream.queued = false;
        if (!stream.wantsToSend()) {
            return 0;
        }
        var limit = Math.min(Math.min(QUANTUM_BYTES, sendCredit), peer.maxFrameBytes());
        var bytes = stream.sendSome(writer(), limit);
        sendCredit -= bytes;
        if (bytes > 0) {
            frames.sentData(bytes, stream.waitingBytes() == 0);
            stream.listener().sent(stream, bytes);
        }
        if (stream.wantsToSend() && !stream.queued) {
            stream.queued = true;
            ready.add(stream);
        }
        maybeForget(stream);
        return bytes + FrameDecoder.HEADER_BYTES;
    }

    void writeHeaders(HboneStream stream, Http2Headers headers, boolean endStream) {
        if (blocks != null && !broken) {
            var block = blocks.encode(context().alloc(), stream.id(), headers);
            writer().headers(stream.id(), block, endStream, peer.maxFrameBytes());
        }
    }

    void writeWindowUpdate(int streamId, int bytes) {
        if (!broken && ctx != null) {
            writer().windowUpdate(streamId, bytes);
            pumpSoon();
        }
    }

    void resetStream(HboneStream stream, ErrorCode code) {
        var open = streams.remove(stream.id()) != null;
        stream.die();
        if (open && !broken && ctx != null) {
            writer().reset(stream.id(), code);
            frames.wasReset(stream.id());
            pumpSoon();
            closeIfDrained();
        }
    }

    // ---- credit ----

    int returnThreshold() {
        return limits.local().initialWindowBytes() / 4;
    }

    /// Bytes came in for a stream: their credit goes back now or, without room in the loop, on delivery.
    void holdCredit(int bytes) {
        if (loop.received(bytes)) {
            creditToReturn += bytes;
        } else {
            creditHeldBack += bytes;
        }
    }

    void deliveredOnConnection(int bytes) {
        loop.delivered(bytes);
        var late = Math.min(bytes, creditHeldBack);
        creditHeldBack -= late;
        creditToReturn += late;
        returnConnectionCredit();
    }

    private void returnConnectionCredit() {
        if (creditToReturn >= limits.connectionWindowBytes() / 4) {
            receiveCredit += creditToReturn;
            writeWindowUpdate(0, creditToReturn);
            creditToReturn = 0;
        }
    }

    // ---- streams ----

    HboneStream newStream(int id, StreamListener listener) {
        var stream = new HboneStream(
                this, id, peer.initialWindowBytes(), limits.local().initialWindowBytes(), listener);
        streams.put(id, stream);
        return stream;
    }

    void maybeForget(HboneStream stream) {
        if (stream.isDone() && streams.remove(stream.id()) != null) {
            closeIfDrained();
        }
    }

    void closeIfDrained() {
        if (streams.isEmpty() && (goAwaySent || goAwayReceived) && ctx != null) {
            ctx.executor().schedule(this::closeIdle, 100, TimeUnit.MILLISECONDS);
        }
        if (streams.isEmpty()) {
            listener.idle();
        }
    }

    private void closeIdle() {
        if (streams.isEmpty()) {
            close();
        }
    }

    void pongReceived(long opaque) {
        if (draining && opaque == DRAIN_PING) {
            endDrain();
        }
        if (keepalive != null) {
            keepalive.answered(opaque);
        }
    }

    /// The loop's clock.
    long nanoTime() {
        return context().executor().ticker().nanoTime();
    }

    boolean inLoop() {
        return ctx == null || ctx.executor().inEventLoop();
    }

    private ChannelHandlerContext context() {
        if (ctx == null) {
            throw new IllegalStateException("the connection is not in a pipeline yet");
        }
        return ctx;
    }

    FrameWriter writer() {
        if (writer == null) {
            throw new IllegalStateException("the connection is not in a pipeline yet");
        }
        return writer;
    }

    private final class Pings implements Keepalive.Peer {
        @Override
        public void ping(long opaque) {
            writer().ping(opaque, false);
            context().flush();
        }

        @Override
        public void silent() {
            loop.reached(PeerLimit.PING);
            breakDown(ErrorCode.NO_ERROR, "no answer to PING");
        }
    }
}
