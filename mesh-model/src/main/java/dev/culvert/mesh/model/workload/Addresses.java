package dev.culvert.mesh.model.workload;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/// IP addresses as values: never a name lookup, IPv4-mapped IPv6 is plain IPv4.
public final class Addresses {
    private Addresses() {}

    /// @param bytes 4 or 16 of them
    /// @throws IllegalArgumentException on any other length
    public static InetAddress ofBytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException _) {
            throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.length);
        }
    }

    /// Parses a literal address; empty for anything else, names included.
    public static Optional<InetAddress> parse(String text) {
        if (!isDotted(text) && !isHexWithColons(text)) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// Four groups of one to three digits; `ofLiteral` takes fewer, too.
    private static boolean isDotted(String text) {
        var dots = 0;
        var digits = 0;
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c >= '0' && c <= '9' && digits < 3) {
                digits++;
            } else if (c == '.' && digits > 0) {
                dots++;
                digits = 0;
            } else {
                return false;
            }
        }
        return dots == 3 && digits > 0;
    }

    /// Without a scope, which `ofLiteral` takes, too.
    private static boolean isHexWithColons(String text) {
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c != ':' && c != '.' && (c > 'f' || Character.digit(c, 16) < 0)) {
                return false;
            }
        }
        return text.indexOf(':') >= 0;
    }

    /// The same address without the IPv4-mapped form and without a scope.
    public static InetSocketAddress canonical(InetSocketAddress address) {
        var ip = address.getAddress();
        if (ip == null) {
            throw new IllegalArgumentException("unresolved: " + address);
        }
        return new InetSocketAddress(ofBytes(ip.getAddress()), address.getPort());
    }

    /// `1.2.3.4:80` or `[2001:2::1]:80`.
    public static String text(InetSocketAddress address) {
        var ip = text(address.getAddress());
        return (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + address.getPort();
    }

    /// RFC 5952 text for IPv6 (lower case, longest run of zeros shortened), dotted text for IPv4.
    public static String text(InetAddress ip) {
        var bytes = ip.getAddress();
        return bytes.length == 4 ? ip.getHostAddress() : text6(bytes);
    }

    private static String text6(byte[] bytes) {
        var groups = new int[8];
        for (var i = 0; i < 8; i++) {
            groups[i] = ((bytes[2 * i] & 0xff) << 8) | (bytes[2 * i + 1] & 0xff);
        }
        var start = -1;
        var length = 1;
        for (var i = 0; i < 8; i++) {
            var run = 0;
            while (i + run < 8 && groups[i + run] == 0) {
                run++;
            }
            if (run > length) {
                start = i;
                length = run;
            }
        }
        var text = new StringBuilder(40);
        for (var i = 0; i < 8; i++) {
            if (i == start) {
                text.append("::");
                i += length - 1;
            } else {
                if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }
}
