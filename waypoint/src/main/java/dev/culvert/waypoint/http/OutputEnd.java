package dev.culvert.waypoint.http;

import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

/// Says to the other side that no more bytes come.
final class OutputEnd {
    private OutputEnd() {}

    /// With TLS the peer can tell it from a cut (RFC 8446 §6.1).
    static void of(Channel to) {
        var tls = to.pipeline().get(SslHandler.class);
        if (tls == null) {
            ((DuplexChannel) to).shutdownOutput();
        } else {
            tls.closeOutbound().addListener(_ -> ((DuplexChannel) to).shutdownOutput());
        }
    }
}
