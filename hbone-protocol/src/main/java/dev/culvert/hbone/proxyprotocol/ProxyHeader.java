package dev.culvert.hbone.proxyprotocol;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The header that an application tunnel begins with (PROXY protocol 2.2, with Istio's TLV for the peer's identity).
/// @param source the peer's address
/// @param destination what the peer asked for
/// @param identity the peer's, or null
public record ProxyHeader(
        InetSocketAddress source,
        InetSocketAddress destination,
        @Nullable SpiffeId identity) {
    private static final byte[] SIGNATURE = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    private static final int VERSION_2_PROXY = 0x21;
    private static final int TCP_IPV4 = 0x11;
    private static final int TCP_IPV6 = 0x21;
    private static final int TCP_UNSPECIFIED = 0x01;
    private static final int TLV_IDENTITY = 0xd0;

    public ByteBuf encode(ByteBufAllocator allocator) {
        var name = identity == null ? new byte[0] : identity.toString().getBytes(StandardCharsets.US_ASCII);
        var out = allocator.buffer(SIGNATURE.length + 4 + 36 + 3 + name.length);
        out.writeBytes(SIGNATURE).writeByte(VERSION_2_PROXY).writeByte(family());
        var length = out.writerIndex();
        out.writeShort(0);
        if (family() != TCP_UNSPECIFIED) {
            out.writeBytes(source.getAddress().getAddress())
                    .writeBytes(destination.getAddress().getAddress())
                    .writeShort(source.getPort())
                    .writeShort(destination.getPort());
        }
        if (name.length > 0) {
            out.writeByte(TLV_IDENTITY).writeShort(name.length).writeBytes(name);
        }
        return out.setShort(length, out.readableBytes() - length - 2);
    }

    /// Without addresses if they are of two families.
    private int family() {
        var ipv4 = source.getAddress() instanceof Inet4Address;
        if (ipv4 != destination.getAddress() instanceof Inet4Address) {
            return TCP_UNSPECIFIED;
        }
        return ipv4 ? TCP_IPV4 : TCP_IPV6;
    }
}
