package dev.culvert.ztunnel.relay;

import io.netty.buffer.ByteBuf;

/// One end of a relay. All methods are called on the relay's loop.
public abstract sealed class RelayEnd permits SocketEnd, StreamEnd {
    /// The relay is complete: reading may begin.
    abstract void start(Relay relay);

    /// Writes bytes that came from the other end; takes ownership.
    abstract void deliver(ByteBuf data);

    /// The other end has sent a FIN: passes it on behind all that was delivered.
    abstract void deliverEnd();

    /// Bytes that this end has read have left the other end, so more may be read.
    abstract void left(int bytes);

    /// Ends both directions at once, so that whoever is there sees a reset.
    abstract void abort();

    /// Both directions have ended properly.
    abstract void close();
}
