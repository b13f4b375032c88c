package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.ArrayDeque;

/// One CONNECT stream: credit and the bytes that wait for it. Confined to the connection's loop.
public final class HboneStream {
    private final HboneConnection connection;
    private final int id;
    private StreamListener listener;

    private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>(4);
    private int waitingBytes;
    /// The first waiting buffer was sent in part, so the room in front of it is in use.
    private boolean headUsed;

    int sendCredit;
    boolean queued;
    private boolean endWanted;
    private boolean endSent;

    private int receiveCredit;
    private int undelivered;
    private int toReturn;
    private boolean peerEnded;
    private boolean dead;

    HboneStream(HboneConnection connection, int id, int sendCredit, int receiveCredit, StreamListener listener) {
        this.connection = connection;
        this.id = id;
        this.sendCredit = sendCredit;
        this.receiveCredit = receiveCredit;
        this.listener = listener;
    }

    public int id() {
        return id;
    }

    public HboneConnection connection() {
        return connection;
    }

    public void listener(StreamListener next) {
        listener = next;
    }

    public StreamListener listener() {
        return listener;
    }

    /// Bytes written here that have not left yet.
    public int waitingBytes() {
        return waitingBytes;
    }

    /// Bytes received that the listener has not delivered yet.
    public int undeliveredBytes() {
        return undelivered;
    }

    public boolean isDead() {
        return dead;
    }

    /// Sends response headers (server streams).
    public void respond(Http2Headers headers, boolean endStream) {
        if (dead) {
            return;
        }
        connection.writeHeaders(this, headers, endStream);
        if (endStream) {
            endWanted = true;
            endSent = true;
            connection.maybeForget(this);
        }
        connection.pumpSoon();
    }

    /// Takes ownership of `data`. Its bytes before the reader index may be overwritten if there are nine of them,
    /// so give only buffers whose front nobody else sees.
    public void write(ByteBuf data) {
        assert connection.inLoop();
        if (dead || endWanted || !data.isReadable()) {
            data.release();
            return;
        }
        waiting.add(data);
        waitingBytes += data.readableBytes();
        connection.enqueue(this);
    }

    /// Sends a FIN after all that was written.
    public void end() {
        assert connection.inLoop();
        if (!dead && !endWanted) {
            endWanted = true;
            connection.enqueue(this);
        }
    }

    /// Ends the stream at once in both directions.
    public void reset(ErrorCode code) {
        assert connection.inLoop();
        if (!dead) {
            connection.resetStream(this, code);
        }
    }

    /// The listener has written `bytes` to where they belong: the peer may send as many more.
    public void delivered(int bytes) {
        assert connection.inLoop();
        if (dead) {
            return;
        }
        undelivered -= bytes;
        connection.deliveredOnConnection(bytes);
        if (peerEnded) {
            return;
        }
        toReturn += bytes;
        if (toReturn >= connection.returnThreshold()) {
            receiveCredit += toReturn;
            connection.writeWindowUpdate(id, toReturn);
            toReturn = 0;
        }
    }

    // ---- the connection's side ----

    boolean wantsToSend() {
        return !dead && (waitingBytes > 0 ? sendCredit > 0 : endWanted && !endSent);
    }

    /// Sends up to `limit` bytes as one DATA frame, with END_STREAM where they are the last. Returns the bytes.
    int sendSome(FrameWriter writer, int limit) {
        var head = waiting.peek();
        if (head == null) {
            endSent = true;
            writer.emptyData(id);
            return 0;
        }
        var bytes = Math.min(Math.min(limit, sendCredit), head.readableBytes());
        var whole = bytes == head.readableBytes();
        waitingBytes -= bytes;
        sendCredit -= bytes;
        endSent = endWanted && waitingBytes == 0;
        if (!whole) {
            headUsed = true;
            writer.data(id, head.readRetainedSlice(bytes), endSent);
            return bytes;
        }
        waiting.remove();
        if (!headUsed && head.readerIndex() >= FrameDecoder.HEADER_BYTES) {
            writer.dataInPlace(id, head, endSent);
        } else {
            writer.data(id, head, endSent);
        }
        headUsed = false;
        return bytes;
    }

    /// False if the peer sent more than it had credit for.
    boolean receive(int bytes) {
        receiveCredit -= bytes;
        undelivered += bytes;
        return receiveCredit >= 0;
    }

    void peerEnded() {
        peerEnded = true;
    }

    boolean hasPeerEnded() {
        return peerEnded;
    }

    boolean isDone() {
        return peerEnded && endSent;
    }

    void die() {
        dead = true;
        connection.deliveredOnConnection(undelivered);
        undelivered = 0;
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        waitingBytes = 0;
    }
}
