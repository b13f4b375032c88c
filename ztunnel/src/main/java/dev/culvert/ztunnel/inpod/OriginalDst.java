package dev.culvert.ztunnel.inpod;

import dev.culvert.mesh.model.workload.Addresses;
import io.netty.channel.Channel;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// Where the downstream wanted to go, before redirection. IPv4-mapped IPv6 is plain IPv4 from here on.
public record OriginalDst(InetSocketAddress addr) {
    private static final RawUnixChannelOption IPV4 = new RawUnixChannelOption("SO_ORIGINAL_DST", 0, 80, 16);
    private static final RawUnixChannelOption IPV6 = new RawUnixChannelOption("IP6T_SO_ORIGINAL_DST", 41, 80, 28);

    public OriginalDst {
        addr = Addresses.canonical(addr);
    }

    /// From conntrack, IPv4 first; else the accepted socket's own address.
    public static OriginalDst of(Channel accepted) {
        return read(accepted, IPV4)
                .or(() -> read(accepted, IPV6))
                .orElseGet(() -> new OriginalDst((InetSocketAddress) accepted.localAddress()));
    }

    private static Optional<OriginalDst> read(Channel accepted, RawUnixChannelOption option) {
        try {
            var raw = accepted.config().getOption(option);
            return raw == null ? Optional.empty() : Optional.of(parse(raw));
        } catch (RuntimeException _) {
            return Optional.empty();
        }
    }

    /// `struct sockaddr_in` or `sockaddr_in6`: family, port in network order, address.
    private static OriginalDst parse(ByteBuffer raw) {
        var bytes = new byte[raw.remaining()];
        raw.duplicate().get(bytes);
        var port = ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff);
        var ip = bytes.length == 16 ? Arrays.copyOfRange(bytes, 4, 8) : Arrays.copyOfRange(bytes, 8, 24);
        return new OriginalDst(new InetSocketAddress(Addresses.ofBytes(ip), port));
    }
}
