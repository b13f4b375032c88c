package dev.culvert.testkit;

import dev.culvert.hbone.codec.ConnectionListener;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.HboneConnection;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.ztunnel.inpod.PodSockets;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.EmptyHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A peer of the mesh with a certificate of its own that writes its CONNECTs by hand, to see what a ztunnel answers.
final class RawPeer implements AutoCloseable {
    private final PodSockets sockets;
    private final HboneTls tls;
    private final CompletableFuture<HboneConnection> ready = new CompletableFuture<>();
    private final Channel channel;

    RawPeer(PodSockets sockets, TestNode node, SpiffeId identity, InetSocketAddress to) {
        this.sockets = sockets;
        this.tls = node.certificates().tls(identity).join();
        channel = sockets.connect(node.loops().next(), to, null, new Handshake())
                .syncUninterruptibly()
                .channel();
    }

    /// The status of the answer; 0 for a reset. The tunnel, if it came to one, is closed.
    int connect(Http2Headers headers) throws Exception {
        var answer = ask(headers);
        return answer.isEmpty() ? 0 : ConnectRequest.status(answer);
    }

    /// The answer's headers; none for a reset. The tunnel, if it came to one, is closed.
    Http2Headers ask(Http2Headers headers) throws Exception {
        var heard = new CompletableFuture<Http2Headers>();
        var http2 = ready.get(10, TimeUnit.SECONDS);
        channel.eventLoop()
                .execute(() -> http2.open(headers, new StreamListener() {
                    @Override
                    public void headers(HboneStream stream, Http2Headers answer, boolean endStream) {
                        heard.complete(answer);
                        stream.end();
                    }

                    @Override
                    public void data(HboneStream stream, ByteBuf data) {
                        stream.delivered(data.readableBytes());
                        data.release();
                    }

                    @Override
                    public void ended(HboneStream stream) {}

                    @Override
                    public void failed(HboneStream stream, StreamFailure failure) {
                        heard.complete(EmptyHttp2Headers.INSTANCE);
                    }

                    @Override
                    public void sent(HboneStream stream, int bytes) {}
                }));
        return heard.get(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
        sockets.close();
    }

    private final class Handshake extends ChannelInboundHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            var handler = tls.clientHandler(context.alloc(), Duration.ofSeconds(10));
            context.pipeline().addBefore(context.name(), "tls", handler);
            context.channel().config().setAutoRead(true);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent done && done.isSuccess()) {
                var http2 = new HboneConnection(
                        true, new ConnectionListener() {}, H2Limits.DEFAULTS, new LoopLimits(Long.MAX_VALUE));
                context.pipeline().replace(this, "h2", http2);
                ready.complete(http2);
            } else if (event instanceof SslHandshakeCompletionEvent failed) {
                ready.completeExceptionally(failed.cause());
            }
        }
    }
}
