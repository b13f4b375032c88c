package dev.culvert.kube.object;

import java.net.InetAddress;

/// An address or a range of them.
///
/// @param length prefix length in bits
public record IpBlock(InetAddress address, int length) {
    public IpBlock {
        if (length < 0 || length > address.getAddress().length * 8) {
            throw new IllegalArgumentException(
                    "prefix length out of range: " + address.getHostAddress() + "/" + length);
        }
    }

    public boolean contains(InetAddress other) {
        var own = address.getAddress();
        var bytes = other.getAddress();
        if (own.length != bytes.length) {
            return false;
        }
        for (var bit = 0; bit < length; bit++) {
            var mask = 0x80 >> bit % Byte.SIZE;
            if ((own[bit / Byte.SIZE] & mask) != (bytes[bit / Byte.SIZE] & mask)) {
                return false;
            }
        }
        return true;
    }

    /// @throws IllegalArgumentException unless an IP literal, with or without `/length`
    public static IpBlock parse(String text) {
        var slash = text.indexOf('/');
        var address = Literals.address(slash < 0 ? text : text.substring(0, slash));
        var whole = address.getAddress().length * 8;
        return new IpBlock(address, slash < 0 ? whole : Integer.parseInt(text.substring(slash + 1)));
    }
}
