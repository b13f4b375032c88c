package dev.culvert.hbone.headers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The authority decides where bytes go: one spelling each, and nothing else.
class AuthorityTest {
    @ParameterizedTest
    @CsvSource(textBlock = """
            198.18.1.2:80,                  198.18.1.2:80
            198.18.1.2:65535,               198.18.1.2:65535
            [2001:2::2]:8080,               [2001:2::2]:8080
            [2001:0002:0:0:0:0:0:2]:8080,   [2001:2::2]:8080
            [::ffff:198.18.1.2]:80,         198.18.1.2:80
            [::1]:1,                        [::1]:1
            cart.shop.svc.cluster.local:80, cart.shop.svc.cluster.local:80
            a:1,                            a:1
            a.b:443,                        a.b:443
            under_score.x:80,               under_score.x:80
            """)
    void wellFormedAuthorityHasOneMeaning(String given, String meaning) {
        assertThat(Authority.parse(given)).map(Object::toString).contains(meaning);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                ":80",
                "198.18.1.2",
                "198.18.1.2:",
                "198.18.1.2:0",
                "198.18.1.2:65536",
                "198.18.1.2:99999999999",
                "198.18.1.2:-1",
                "198.18.1.2:+80",
                "198.18.1.2:0x50",
                "198.18.1.2: 80",
                " 198.18.1.2:80",
                "198.18.1.2:80 ",
                "198.18.1.2:80/",
                "198.18.1.2:80?x",
                "198.18.1.2:80#x",
                "user@198.18.1.2:80",
                "user:pw@198.18.1.2:80",
                "http://198.18.1.2:80",
                "//198.18.1.2:80",
                "198.18.1:80",
                "198.18.1.2.3:80",
                "256.1.1.1:80",
                "0x7f.1:80",
                "2130706433:80",
                "198.18.1.2:80:80",
                "2001:2::2:8080",
                "[2001:2::2]",
                "[2001:2::2]:",
                "[2001:2::2]8080",
                "[2001:2::2:8080",
                "2001:2::2]:8080",
                "[[2001:2::2]]:80",
                "[198.18.1.2]:80",
                "[cart]:80",
                "[]:80",
                "[2001:2::2%eth0]:80",
                "[2001:2:::2]:80",
                "[2001:2::2::3]:80",
                "[1:2:3:4:5:6:7:8:9]:80",
                "[::ffff:999.1.1.1]:80",
                "cart",
                "cart:",
                "cart:http",
                "cart:80a",
                "car t:80",
                "cart\t:80",
                "cart\r\n:80",
                "cart\u0000:80",
                "-cart:80",
                "cart-:80",
                "cart..shop:80",
                ".cart:80",
                "c\u00e4rt:80",
                "cart/../x:80",
                "cart%2e:80",
                "cart,x:80",
                "cart;x:80",
                "cart:\u0661\u0662",
                "\u0661.1.1.1:80"
            })
    void anythingElseIsRefused(String given) {
        assertThat(Authority.parse(given)).isEmpty();
    }

    /// A good authority with one strange character somewhere.
    static Stream<String> corrupted() {
        return Stream.of("198.18.1.2:80", "[2001:2::2]:8080", "cart.shop.svc.cluster.local:80", "a:1")
                .flatMap(good -> Stream.of(
                                " ", "\t", "\r", "\n", "\0", "\u007f", "@", "/", "?", "#", "%", ",", ";", "\\", "\"",
                                "<", "(", "=", "&", "$", "!", "~", "\u00a0", "\u200b", "\uff0e", "\u2024", "\uff10")
                        .flatMap(strange -> Stream.of(
                                strange + good,
                                good.replaceFirst(":(?=\\d+$)", Matcher.quoteReplacement(strange) + ":"),
                                good + strange)));
    }

    @ParameterizedTest
    @MethodSource("corrupted")
    void oneStrangeCharacterIsEnough(String given) {
        assertThat(Authority.parse(given)).isEmpty();
    }
}
