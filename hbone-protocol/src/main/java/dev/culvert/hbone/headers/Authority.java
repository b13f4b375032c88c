package dev.culvert.hbone.headers;

import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/// The `:authority` of a CONNECT: `1.2.3.4:80`, `[2001:2::1]:80`, or `name:80` across networks.
public sealed interface Authority {
    /// Longest DNS name, colon, port.
    int MAX_LENGTH = 259;

    Pattern HOSTNAME = Pattern.compile("(?=.{1,253}$)([A-Za-z0-9_*]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.?)+");

    record Address(InetSocketAddress address) implements Authority {
        public Address {
            address = Addresses.canonical(address);
        }

        @Override
        public String toString() {
            return Addresses.text(address);
        }
    }

    record Host(String name, int port) implements Authority {
        @Override
        public String toString() {
            return name + ":" + port;
        }
    }

    /// Empty for anything but exactly one of the three forms, user info, paths and missing or odd ports included.
    static Optional<Authority> parse(CharSequence given) {
        if (given.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        var text = given.toString();
        var colon = text.lastIndexOf(':');
        var port = colon < 0 ? -1 : port(text.substring(colon + 1));
        if (port < 0) {
            return Optional.empty();
        }
        var host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            return Addresses.parse(host.substring(1, host.length() - 1))
                    .filter(_ -> host.indexOf(':') > 0)
                    .map(ip -> new Address(new InetSocketAddress(ip, port)));
        }
        if (host.indexOf(':') >= 0) {
            return Optional.empty();
        }
        var literal = Addresses.parse(host);
        if (literal.isPresent()) {
            return literal.map(ip -> new Address(new InetSocketAddress(ip, port)));
        }
        return isName(host) ? Optional.of(new Host(host, port)) : Optional.empty();
    }

    /// A name has a letter somewhere in its last label: `1.2.3` and `256.1.1.1` are broken addresses, not names.
    private static boolean isName(String host) {
        var last = host.substring(host.lastIndexOf('.', host.length() - 2) + 1);
        return HOSTNAME.matcher(host).matches() && !last.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /// -1 unless one to five digits that make a port from 1 to 65535.
    private static int port(String digits) {
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return -1;
        }
        var port = Integer.parseInt(digits);
        return port >= 1 && port <= 65535 ? port : -1;
    }
}
