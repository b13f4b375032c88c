package dev.culvert.testkit.sim;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The options of a simulated socket: Netty's own, half-closure and linger. Confined to the channel's loop.
final class SimChannelConfig extends DefaultChannelConfig {
    private boolean allowHalfClosure;
    private int lingerSeconds = -1;

    SimChannelConfig(Channel channel) {
        super(channel);
    }

    boolean isAllowHalfClosure() {
        return allowHalfClosure;
    }

    /// A close is a reset.
    boolean isAbortive() {
        return lingerSeconds == 0;
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.ALLOW_HALF_CLOSURE, ChannelOption.SO_LINGER);
    }

    @Override
    @SuppressWarnings("unchecked") // each option has its type
    public <T> @Nullable T getOption(ChannelOption<T> option) {
        if (option.equals(ChannelOption.ALLOW_HALF_CLOSURE)) {
            return (T) Boolean.valueOf(allowHalfClosure);
        }
        return option.equals(ChannelOption.SO_LINGER) ? (T) Integer.valueOf(lingerSeconds) : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        if (option.equals(ChannelOption.ALLOW_HALF_CLOSURE)) {
            allowHalfClosure = (Boolean) value;
        } else if (option.equals(ChannelOption.SO_LINGER)) {
            lingerSeconds = (Integer) value;
        } else {
            return super.setOption(option, value);
        }
        return true;
    }
}
