package dev.culvert.hbone.codec;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/// The codec alone behind a TCP port of the loopback, without TLS, as a server that says hello to every request: what
/// `build/h2spec` talks to.
final class ConformanceServer {
    private ConformanceServer() {}

    /// @param arguments the port
    public static void main(String[] arguments) throws InterruptedException {
        var loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var limits = new LoopLimits(4 << 20);
        var by = H2Limits.DEFAULTS;
        var frames = new H2Limits( // h2spec takes 16 KiB for granted
                new H2Settings(4096, 200, by.local().initialWindowBytes(), 16384, 65536),
                by.connectionWindowBytes(),
                by.maxStreams(),
                by.pingEvery(),
                by.pingTimeout());
        new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new HboneConnection(false, new Hello(), frames, limits));
                    }
                })
                .bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), Integer.parseInt(arguments[0])))
                .sync()
                .channel()
                .closeFuture()
                .sync();
    }

    private static final class Hello implements ConnectionListener {
        @Override
        public void accepted(HboneStream stream, Http2Headers headers) {
            stream.listener(new Request());
            stream.respond(new DefaultHttp2Headers().status("200"), false);
            stream.write(Unpooled.copiedBuffer("hello, world", StandardCharsets.US_ASCII));
            stream.end();
        }
    }

    private static final class Request implements StreamListener {
        @Override
        public void data(HboneStream stream, ByteBuf data) {
            stream.delivered(data.readableBytes());
            data.release();
        }

        @Override
        public void ended(HboneStream stream) {}

        @Override
        public void failed(HboneStream stream, StreamFailure failure) {}

        @Override
        public void sent(HboneStream stream, int bytes) {}
    }
}
