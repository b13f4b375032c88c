package dev.culvert.waypoint.http;

import io.netty.channel.Channel;
import io.netty.handler.codec.http2.Http2Connection;
import java.util.concurrent.TimeUnit;

/// Ends an HTTP/2 connection on which no request has been under way for the idle time, however slowly the header of one
/// comes. Confined to its loop.
final class Http2Quiet {
    private final Http2Connection http2;
    private final Inner inner;
    private final long stepMillis;
    private boolean quiet;
    private int seen = -1;

    Http2Quiet(Http2Connection http2, Inner inner) {
        this.http2 = http2;
        this.inner = inner;
        this.stepMillis = Math.max(1, inner.serving().limits().idle().toMillis() / 2);
    }

    void watch() {
        inner.channel().eventLoop().schedule(this::look, stepMillis, TimeUnit.MILLISECONDS);
    }

    /// Quiet at two looks, and nothing in between.
    private void look() {
        Channel channel = inner.channel();
        if (!channel.isOpen()) {
            return;
        }
        var last = http2.remote().lastStreamCreated();
        var now = http2.numActiveStreams() == 0 && last == seen;
        seen = last;
        if (now && quiet) {
            inner.serving().metrics().limited("idle");
            channel.close();
        } else {
            quiet = now;
            watch();
        }
    }
}
