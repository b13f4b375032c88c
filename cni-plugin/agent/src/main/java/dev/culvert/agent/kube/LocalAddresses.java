package dev.culvert.agent.kube;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/// Reads the addresses of a network namespace without entering it.
final class LocalAddresses {
    private LocalAddresses() {}

    /// @param net a `/proc/PID/net`
    static Set<InetAddress> of(Path net) throws IOException {
        var addresses = new HashSet<>(ipv4(Files.readString(net.resolve("fib_trie"))));
        try {
            addresses.addAll(ipv6(Files.readString(net.resolve("if_inet6"))));
        } catch (NoSuchFileException withoutIpv6) {
            return addresses;
        }
        return addresses;
    }

    /// Of the routing trie's leaves (`|-- ADDRESS`) those with a local route for the address alone.
    static Set<InetAddress> ipv4(String fibTrie) {
        var addresses = new HashSet<InetAddress>();
        var leaf = "";
        for (var line : fibTrie.lines().map(String::strip).toList()) {
            if (line.startsWith("|-- ")) {
                leaf = line.substring(4);
            } else if (line.startsWith("/32 host LOCAL")) {
                addresses.add(InetAddress.ofLiteral(leaf));
            }
        }
        return addresses;
    }

    /// The first field of each line is the address in hexadecimal.
    static Set<InetAddress> ipv6(String ifInet6) throws UnknownHostException {
        var addresses = new HashSet<InetAddress>();
        for (var line : ifInet6.lines().toList()) {
            addresses.add(InetAddress.getByAddress(HexFormat.of().parseHex(line, 0, 32)));
        }
        return addresses;
    }
}
