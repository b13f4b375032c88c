package dev.culvert.hbone.codec;

import io.netty.handler.codec.http2.Http2Headers;

/// What happens on one HBONE connection as a whole. Called on its loop.
public interface ConnectionListener {
    /// The peer opened a stream (server side). The listener answers by [HboneStream#respond] and sets a
    /// [StreamListener] of its own before it returns.
    default void accepted(HboneStream stream, Http2Headers headers) {
        stream.reset(ErrorCode.REFUSED_STREAM);
    }

    /// The peer's SETTINGS have come.
    default void ready() {}

    /// The peer takes no more streams.
    default void goAway() {}

    /// The last stream has ended.
    default void idle() {}

    /// The peer broke the protocol or went silent.
    default void broken(ErrorCode code, String why) {}

    /// The connection is gone; called once, last.
    default void closed() {}
}
