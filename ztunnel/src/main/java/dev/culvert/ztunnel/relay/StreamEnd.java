package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// A tunnel as the end of a relay. Confined to its loop.
public final class StreamEnd extends RelayEnd implements StreamListener {
    private final HboneStream stream;
    private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
    private boolean earlyEnd;
    private @Nullable StreamFailure earlyFailure;
    private @Nullable Relay relay;

    /// Becomes the stream's listener. What comes before the relay starts waits within the stream's credit.
    public StreamEnd(HboneStream stream) {
        this.stream = stream;
        stream.listener(this);
    }

    @Override
    void start(Relay with) {
        relay = with;
        while (!early.isEmpty()) {
            with.moved(this, early.remove());
        }
        if (earlyEnd) {
            with.ended(this);
        }
        if (earlyFailure != null) {
            failed(stream, earlyFailure);
        }
    }

    /// The peer gave up before the relay started.
    public boolean isBroken() {
        return earlyFailure != null;
    }

    @Override
    public void data(HboneStream from, ByteBuf data) {
        if (relay == null) {
            early.add(data);
        } else {
            relay.moved(this, data);
        }
    }

    @Override
    public void ended(HboneStream from) {
        if (relay == null) {
            earlyEnd = true;
        } else {
            relay.ended(this);
        }
    }

    /// RST_STREAM with NO_ERROR or CANCEL ends the reading side only, as far as the application can tell; anything
    /// else is a reset of the TCP connection behind it (RFC 9113 §8.5).
    @Override
    public void failed(HboneStream from, StreamFailure failure) {
        if (relay == null) {
            earlyFailure = failure;
        } else if (failure.isBenign()) {
            relay.ended(this);
            relay.endDelivered(this);
        } else {
            relay.broke(this, "receive: " + failure, failure.code() == ErrorCode.CONNECT_ERROR);
        }
    }

    @Override
    public void sent(HboneStream from, int bytes) {
        if (relay != null) {
            relay.left(this, bytes);
        }
    }

    @Override
    void deliver(ByteBuf data) {
        stream.write(data);
    }

    @Override
    void deliverEnd() {
        stream.end();
        if (relay != null) {
            relay.endDelivered(this);
        }
    }

    @Override
    void left(int bytes) {
        stream.delivered(bytes);
    }

    @Override
    void abort() {
        release();
        stream.reset(ErrorCode.CONNECT_ERROR);
    }

    /// What was delivered still goes out as credit allows.
    @Override
    void close() {
        release();
    }

    /// Refuses the tunnel before any relay.
    public void release() {
        early.forEach(ByteBuf::release);
        early.clear();
    }
}
