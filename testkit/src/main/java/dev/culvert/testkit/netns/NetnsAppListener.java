package dev.culvert.testkit.netns;

import dev.culvert.testkit.backend.AppListener;
import dev.culvert.testkit.backend.AppSocket;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;

/// A listening socket in a network namespace.
final class NetnsAppListener implements AppListener {
    private final ServerSocketChannel channel;

    NetnsAppListener(ServerSocketChannel channel) {
        this.channel = channel;
    }

    @Override
    public AppSocket accept() throws IOException {
        var accepted = channel.accept();
        accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
        return new NetnsAppSocket(accepted);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
