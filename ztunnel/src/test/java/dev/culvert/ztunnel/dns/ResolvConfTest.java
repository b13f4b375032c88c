package dev.culvert.ztunnel.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.ztunnel.dns.lookup.Zone;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResolvConfTest {
    private static List<String> servers(ResolvConf conf) {
        return conf.servers().stream().map(Addresses::text).toList();
    }

    @Test
    void threeServersAndTheLastSearchListCount() {
        var conf = ResolvConf.parse("""
                # nameserver 198.18.0.9
                domain old.example
                nameserver 198.18.0.1
                nameserver not-an-address
                nameserver fe80::1%eth0
                nameserver\tfd00::2
                nameserver 198.18.0.3
                nameserver 198.18.0.4
                search first.example
                search Shop.svc.Cluster.local. svc.cluster.local
                options ndots:5
                """);
        assertThat(servers(conf)).containsExactly("198.18.0.1", "fd00::2", "198.18.0.3");
        assertThat(conf.search()).containsExactly("shop.svc.cluster.local", "svc.cluster.local");
        assertThat(ResolvConf.parse("domain only.example").search()).containsExactly("only.example");
        assertThat(ResolvConf.parse("search a b\nsearch").search()).isEmpty();
    }

    @Test
    void theProxysOwnListenerIsNoServer() {
        var own = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 53);
        assertThat(ResolvConf.parse("nameserver 127.0.0.1\nnameserver 198.18.0.1")
                        .without(List.of(own)))
                .containsExactly(new InetSocketAddress(InetAddress.ofLiteral("198.18.0.1"), 53));
    }

    @Test
    void dedicatedModeTakesTheSearchListOfItsOwn(@TempDir Path directory) throws Exception {
        var file = Files.writeString(directory.resolve("resolv.conf"), "search corp.example\n");
        var settings =
                new DnsSettings(List.of(), new Zone("cluster.local", null, true), file, DnsSettings.Limits.DEFAULTS);
        assertThat(settings.zone().search()).isEmpty();
        assertThat(settings.withOwnSearchList().zone().search()).containsExactly("corp.example");
        assertThat(ResolvConf.read(directory.resolve("none"))).isEqualTo(new ResolvConf(List.of(), List.of()));
    }
}
