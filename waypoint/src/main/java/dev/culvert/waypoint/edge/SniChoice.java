package dev.culvert.waypoint.edge;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The beginning of a TLS connection: the name that the client asks for chooses the certificate. Whoever asks for a
/// name that nobody has is told so.
final class SniChoice extends AbstractSniHandler<Optional<ServerNames.Chosen>> {
    private static final int MAX_HELLO_BYTES = 16 * 1024;
    /// A fatal alert, unrecognized_name (RFC 6066 §3, RFC 8446 §6).
    private static final byte[] UNRECOGNIZED = {21, 3, 3, 0, 2, 2, 112};

    private final Function<@Nullable String, Optional<ServerNames.Chosen>> names;
    private final BiConsumer<ChannelHandlerContext, ServerNames.Chosen> chosen;

    /// @param chosen takes this handler's place
    SniChoice(
            Function<@Nullable String, Optional<ServerNames.Chosen>> names,
            Duration timeout,
            BiConsumer<ChannelHandlerContext, ServerNames.Chosen> chosen) {
        super(MAX_HELLO_BYTES, timeout.toMillis());
        this.names = names;
        this.chosen = chosen;
    }

    @Override
    protected Future<Optional<ServerNames.Chosen>> lookup(ChannelHandlerContext context, @Nullable String name) {
        return context.executor().newSucceededFuture(names.apply(name));
    }

    @Override
    protected void onLookupComplete(
            ChannelHandlerContext context, @Nullable String name, Future<Optional<ServerNames.Chosen>> future) {
        var found = future.getNow();
        if (found.isPresent()) {
            chosen.accept(context, found.get());
        } else {
            context.writeAndFlush(Unpooled.wrappedBuffer(UNRECOGNIZED)).addListener(ChannelFutureListener.CLOSE);
        }
    }
}
