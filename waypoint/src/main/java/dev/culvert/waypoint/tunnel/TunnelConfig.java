package dev.culvert.waypoint.tunnel;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The options of a tunnel: Netty's own, and linger, whose 0 makes a close a reset. Confined to the
/// channel's loop.
public final class TunnelConfig extends DefaultChannelConfig {
    private int lingerSeconds = -1;

    TunnelConfig(Channel channel) {
        super(channel);
    }

    boolean isAbortive() {
        return lingerSeconds == 0;
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.SO_LINGER);
    }

    @Override
    @SuppressWarnings("unchecked") // each option has its type
    public <T> @Nullable T getOption(ChannelOption<T> option) {
        return option.equals(ChannelOption.SO_LINGER) ? (T) Integer.valueOf(lingerSeconds) : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        if (option.equals(ChannelOption.SO_LINGER)) {
            lingerSeconds = (Integer) value;
            return true;
        }
        return super.setOption(option, value);
    }
}
