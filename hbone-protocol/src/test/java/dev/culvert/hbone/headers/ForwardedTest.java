package dev.culvert.hbone.headers;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForwardedTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            emptyValue = "",
            value = {
                "for=\"198.18.1.2:4711\" | 198.18.1.2:4711 | ''",
                "for=\"[2001:2::1]:1\";host=cart.shop.svc.cluster.local | [2001:2::1]:1 | cart.shop.svc.cluster.local",
                "for=198.18.1.2;host=\"cart:80\" | 198.18.1.2 | cart:80",
                "host=a b;for=\"198.18.1.2:1 \" | '' | ''",
                "host=caf\u00e9;for=a,b | '' | ''",
                "host=a\";for=\"a | '' | ''",
                "nonsense | '' | ''"
            })
    void whatIsNoAddressAndNoHostIsNotSaid(String header, String forAddress, String host) {
        assertThat(Forwarded.parse(header)).isEqualTo(new Forwarded(forAddress, host));
    }

    @ParameterizedTest
    @CsvSource({"260, 260", "261, 0"})
    void lengthIsBounded(int given, int kept) {
        assertThat(Forwarded.parse("host=" + "a".repeat(given)).host()).hasSize(kept);
    }
}
