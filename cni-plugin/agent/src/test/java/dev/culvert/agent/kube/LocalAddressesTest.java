package dev.culvert.agent.kube;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LocalAddressesTest {
    @Test
    void ownAddressesAreTheTriesLocalLeaves() {
        var trie = """
                Main:
                  +-- 0.0.0.0/0 3 0 5
                     |-- 0.0.0.0
                        /0 universe UNICAST
                     |-- 198.18.65.0
                        /24 link UNICAST
                Local:
                  +-- 0.0.0.0/0 2 0 2
                     +-- 127.0.0.0/8 2 0 2
                        |-- 127.0.0.1
                           /32 host LOCAL
                     |-- 198.18.65.7
                        /32 host LOCAL
                     |-- 198.18.65.255
                        /32 link BROADCAST
                """;
        assertThat(LocalAddresses.ipv4(trie))
                .containsExactlyInAnyOrder(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("198.18.65.7"));
    }

    @Test
    void ipv6AddressesAreHexadecimal() throws Exception {
        var table = """
                20010002000000400000000000000002 02 40 00 80     eth0
                00000000000000000000000000000001 01 80 10 80       lo
                """;
        assertThat(LocalAddresses.ipv6(table))
                .containsExactlyInAnyOrder(InetAddress.ofLiteral("2001:2:0:40::2"), InetAddress.ofLiteral("::1"));
    }

    @Test
    void thisProcessHasLoopback() throws Exception {
        assertThat(LocalAddresses.of(Path.of("/proc/self/net"))).contains(InetAddress.ofLiteral("127.0.0.1"));
    }
}
