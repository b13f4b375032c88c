package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;

/// What happens on one stream. Called on the connection's loop.
public interface StreamListener {
    /// The answer to our CONNECT (client streams only).
    default void headers(HboneStream stream, Http2Headers headers, boolean endStream) {}

    /// @param data now owned by the listener, which gives the credit back by [HboneStream#delivered] once it is
    ///     written
    void data(HboneStream stream, ByteBuf data);

    /// The peer sends no more: a FIN.
    void ended(HboneStream stream);

    /// The stream is gone without a proper end: the peer reset it or the connection broke. Nothing more is called.
    void failed(HboneStream stream, StreamFailure failure);

    /// `bytes` of what was written have left for the transport.
    void sent(HboneStream stream, int bytes);
}
