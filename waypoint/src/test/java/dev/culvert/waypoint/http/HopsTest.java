package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.waypoint.policy.Caller;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.net.InetSocketAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HopsTest {
    /// The connection is that of 198.18.0.9, by http. Several headers of one name are divided by `|`.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                // trusted; X-Forwarded-For; X-Forwarded-Proto; client; onward; scheme
                "0; 192.0.2.1; https; 198.18.0.9; 198.18.0.9; http",
                "1; 192.0.2.1; https; 192.0.2.1; 192.0.2.1, 198.18.0.9; https",
                "1; 192.0.2.66, 192.0.2.1; HTTPS; 192.0.2.1; 192.0.2.1, 198.18.0.9; https",
                "1; 192.0.2.66|192.0.2.1; ''; 192.0.2.1; 192.0.2.1, 198.18.0.9; http",
                "2; 192.0.2.66, 192.0.2.1, 192.0.2.2; http; 192.0.2.1; 192.0.2.1, 192.0.2.2, 198.18.0.9; http",
                "2; 192.0.2.1; https; 198.18.0.9; 198.18.0.9; http",
                "1; ''; https; 198.18.0.9; 198.18.0.9; http",
                "1; 192.0.2.1,; https; 198.18.0.9; 198.18.0.9; http",
                "1; shop.example; https; 198.18.0.9; 198.18.0.9; http",
                "2; 192.0.2.1, unknown; https; 198.18.0.9; 198.18.0.9; http",
                "1; 192.0.2.1:4711; gopher; 192.0.2.1; 192.0.2.1, 198.18.0.9; http",
                "1; 2001:db8::1; https|http; 2001:db8::1; 2001:db8::1, 198.18.0.9; http",
                "1; [2001:DB8::1]:4711; https; 2001:db8::1; 2001:db8::1, 198.18.0.9; https",
                "1; [2001:db8::1; https; 198.18.0.9; 198.18.0.9; http",
                "100; 192.0.2.1; https; 198.18.0.9; 198.18.0.9; http",
            })
    void asManyStepsAreBelievedAsThereAreProxies(
            int trusted, String forwardedFor, String proto, String client, String onward, String scheme) {
        var headers = new DefaultHttpHeaders();
        for (var value : unquoted(forwardedFor).split("\\|", -1)) {
            headers.add("x-forwarded-for", value);
        }
        for (var value : unquoted(proto).split("\\|", -1)) {
            headers.add("x-forwarded-proto", value);
        }
        var peer = new InetSocketAddress(Addresses.parse("198.18.0.9").orElseThrow(), 40000);
        var caller = new Caller(null, peer, peer, "http", null, trusted);
        var hops = Hops.of(headers, caller);
        assertThat(Addresses.text(hops.client())).isEqualTo(client);
        assertThat(hops.told()).isEqualTo(!client.equals("198.18.0.9"));
        hops.writeTo(headers, caller);
        assertThat(headers.getAll("x-forwarded-for")).containsExactly(onward);
        assertThat(headers.getAll("x-forwarded-proto")).containsExactly(scheme);
        var node = !hops.told() ? "198.18.0.9:40000" : client.contains(":") ? "[" + client + "]" : client;
        assertThat(headers.getAll("forwarded")).containsExactly("for=\"" + node + "\";proto=" + scheme);
    }

    private static String unquoted(String text) {
        return text.equals("''") ? "" : text;
    }
}
