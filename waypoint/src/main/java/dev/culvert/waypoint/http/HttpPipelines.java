package dev.culvert.waypoint.http;

import dev.culvert.waypoint.upstream.Gate;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.util.ReferenceCountUtil;

/// Netty's codecs of HTTP as a server.
final class HttpPipelines {
    private static final int MAX_LINE_BYTES = 16 * 1024;
    private static final int MAX_CHUNK_BYTES = 16 * 1024;
    private static final int WINDOW_BYTES = 256 * 1024;

    private HttpPipelines() {}

    static void http1(Inner inner) {
        var limits = inner.serving().limits();
        var config = new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_LINE_BYTES)
                .setMaxHeaderSize(limits.headerBytes())
                .setMaxChunkSize(MAX_CHUNK_BYTES);
        inner.channel()
                .pipeline()
                .addLast(new HttpServerCodec(config))
                .addLast(new Gate())
                .addLast(new Downstream(inner, false));
    }

    static void http2(Inner inner) {
        var limits = inner.serving().limits();
        var channel = inner.channel();
        var codec = Http2FrameCodecBuilder.forServer()
                .initialSettings(Http2Settings.defaultSettings()
                        .maxConcurrentStreams(limits.streams())
                        .initialWindowSize(WINDOW_BYTES)
                        .maxHeaderListSize(limits.headerBytes()))
                .build();
        channel.pipeline()
                .addLast(codec)
                .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel child) {
                        child.config().setOption(ChannelOption.AUTO_READ, false);
                        child.pipeline()
                                .addLast(new Http2StreamFrameToHttpObjectCodec(true, true))
                                .addLast(new Gate())
                                .addLast(new Downstream(inner, true));
                    }
                }))
                .addLast(new ParentEnd());
        if (inner.isAtTheEdge()) {
            new Http2Quiet(codec.connection(), inner).watch();
        }
        inner.onDrain(channel::close);
        channel.config().setAutoRead(true);
    }

    /// What a connection of HTTP/2 has left over: frames for nobody, and its end.
    private static final class ParentEnd extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object frame) {
            ReferenceCountUtil.release(frame);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                context.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
