package dev.culvert.hbone.proxyprotocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxyHeaderTest {
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private static InetSocketAddress at(String address, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), port);
    }

    /// The identity is `spiffe://t/ns/n/sa/s`, 20 bytes.
    @ParameterizedTest
    @CsvSource({
        // family, length, addresses, ports
        "198.18.0.1, 198.18.0.2, 11, 0023, c6120001c6120002 1f900050",
        "2001:2::1, 2001:2::2, 21, 003b, 20010002000000000000000000000001 20010002000000000000000000000002 1f900050",
        "198.18.0.1, 2001:2::2, 01, 0017, ''",
        "2001:2::1, 198.18.0.2, 01, 0017, ''"
    })
    void byteForByte(String source, String destination, String family, String length, String addresses) {
        var identity = SpiffeId.parse("spiffe://t/ns/n/sa/s").orElseThrow();
        var header = new ProxyHeader(at(source, 8080), at(destination, 80), identity).encode(ByteBufAllocator.DEFAULT);
        assertThat(ByteBufUtil.hexDump(header))
                .isEqualTo(SIGNATURE + "21" + family + length + addresses.replace(" ", "") + "d00014"
                        + ByteBufUtil.hexDump("spiffe://t/ns/n/sa/s".getBytes(StandardCharsets.US_ASCII)));
        header.release();
    }

    @ParameterizedTest
    @CsvSource({"198.18.0.2, 11, 000c, c6120001c6120002 1f900050", "2001:2::2, 01, 0000, ''"})
    void whoHasNoIdentityHasNoTlv(String destination, String family, String length, String addresses) {
        var header =
                new ProxyHeader(at("198.18.0.1", 8080), at(destination, 80), null).encode(ByteBufAllocator.DEFAULT);
        assertThat(ByteBufUtil.hexDump(header))
                .isEqualTo(SIGNATURE + "21" + family + length + addresses.replace(" ", ""));
        header.release();
    }
}
