package dev.culvert.waypoint.upstream;

import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;

/// What an upstream tells whoever sent it a request. Called on the loop.
public interface UpstreamEvents {
    /// Owned by the listener where it holds content, too.
    void head(HttpResponse response);

    /// Owned by the listener.
    void content(HttpContent content);

    void writable();

    /// The connection is gone, or speaks no HTTP; nothing more is called.
    void broke(String why);
}
