package dev.culvert.waypoint.http;

import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Collects an answer. Filled on the client's loop, read once it is whole.
final class Answer implements UpstreamEvents {
    private final CompletableFuture<Answer> whole = new CompletableFuture<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private @Nullable Upstream upstream;
    private @Nullable Harbour harbour;
    private boolean reusable = true;
    volatile int status;
    volatile @Nullable HttpHeaders headers;
    volatile @Nullable HttpHeaders trailers;

    void send(Harbour at, @Nullable Upstream opened, @Nullable Throwable failure, Harbour.Request request) {
        if (opened == null) {
            whole.completeExceptionally(failure == null ? new IllegalStateException() : failure);
            return;
        }
        upstream = opened;
        harbour = at;
        var message = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.valueOf(request.method()),
                request.path(),
                Unpooled.copiedBuffer(request.body(), StandardCharsets.ISO_8859_1));
        message.headers().set("host", "berth");
        if (!request.body().isEmpty()) {
            message.headers().set("content-length", request.body().length());
        }
        request.headers().forEach(message.headers()::set);
        opened.channel().writeAndFlush(message);
        opened.channel().read();
    }

    Answer await() throws Exception {
        return whole.get(20, TimeUnit.SECONDS);
    }

    /// For requests whose answer is not awaited.
    CompletableFuture<Answer> future() {
        return whole;
    }

    byte[] body() {
        return body.toByteArray();
    }

    String text() {
        return body.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void head(HttpResponse response) {
        status = response.status().code();
        headers = response.headers();
        reusable = !"close".equals(response.headers().get("connection"));
        if (response instanceof HttpContent content) {
            content(content);
        } else {
            read();
        }
    }

    @Override
    public void content(HttpContent content) {
        var bytes = new byte[content.content().readableBytes()];
        content.content().readBytes(bytes);
        body.writeBytes(bytes);
        if (content instanceof LastHttpContent last) {
            trailers = last.trailingHeaders();
            ReferenceCountUtil.release(content);
            if (upstream != null && harbour != null) {
                harbour.client.release(harbour.use(upstream.isHttp2()), upstream, reusable);
            }
            whole.complete(this);
        } else {
            ReferenceCountUtil.release(content);
            read();
        }
    }

    private void read() {
        if (upstream != null) {
            upstream.channel().read();
        }
    }

    @Override
    public void writable() {}

    @Override
    public void broke(String why) {
        whole.completeExceptionally(new IOException(why));
    }
}
