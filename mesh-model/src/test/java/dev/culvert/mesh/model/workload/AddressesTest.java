package dev.culvert.mesh.model.workload;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which texts are addresses.
final class AddressesTest {
    @ParameterizedTest
    @CsvSource({
        "1.2.3.4, 1.2.3.4",
        "255.255.255.255, 255.255.255.255",
        "::, ::",
        "2001:DB8:0:0:0:0:0:1, 2001:db8::1",
        "::ffff:1.2.3.4, 1.2.3.4",
        "64:ff9b::1.2.3.4, 64:ff9b::102:304"
    })
    void literalsAreRead(String text, String shown) {
        assertThat(Addresses.parse(text).map(Addresses::text)).contains(shown);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "1",
                "1.2",
                "1.2.3",
                "1.2.3.",
                ".1.2.3",
                "1..2.3",
                "1.2.3.4.",
                "1.2.3.4.5",
                "256.1.1.1",
                "1.2.3.0004",
                "0x7f.0.0.1",
                "2130706433",
                "1.2.3.4 ",
                "１.２.３.４",
                "localhost",
                "a.b.c.d",
                "1.2.3:4",
                ":",
                ":::",
                "1:2",
                "fe80::1%1",
                "fe80::1%eth0",
                "[::1]",
                "g::",
                "::１",
                "1:2:3:4:5:6:7:8:9",
                "::1.2.3"
            })
    void nothingElseIs(String text) {
        assertThat(Addresses.parse(text)).isEmpty();
    }
}
