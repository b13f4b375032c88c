package dev.culvert.waypoint.tunnel;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

/// Ends a connection so that whoever is there sees a reset.
public final class Abort {
    private Abort() {}

    public static void of(Channel channel) {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.close();
        }
    }
}
