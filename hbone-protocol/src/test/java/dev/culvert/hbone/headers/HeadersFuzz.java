package dev.culvert.hbone.headers;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/// The headers of a CONNECT as a stranger could write them. What parses prints to text that parses to the same.
public final class HeadersFuzz {
    private HeadersFuzz() {}

    static List<byte[]> samples() {
        return Stream.of(
                        "198.18.1.2:80",
                        "[2001:2::2]:8080",
                        "[::ffff:198.18.1.2]:80",
                        "cart.shop.svc.cluster.local:80",
                        "k8s.cluster.name=Kubernetes,k8s.namespace.name=shop,k8s.deployment.name=cart,service.name=cart",
                        "for=\"198.18.1.2:4711\";host=cart.shop.svc.cluster.local",
                        "for=\"[2001:2::1]:1\"")
                .map(text -> text.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
    }

    public static void fuzzerTestOneInput(byte[] data) {
        var text = new String(data, StandardCharsets.ISO_8859_1);
        Authority.parse(text).ifPresent(HeadersFuzz::authority);
        var baggage = Baggage.parse(List.of(text));
        same(baggage, Baggage.parse(List.of(baggage.text())));
        if (baggage.values().size() > 32) {
            throw new AssertionError(baggage.values().size() + " values");
        }
        var forwarded = Forwarded.parse(text);
        same(forwarded, Forwarded.parse(forwarded.text()));
    }

    private static void authority(Authority authority) {
        same(authority, Authority.parse(authority.toString()).orElseThrow());
        var port =
                switch (authority) {
                    case Authority.Address(var address) -> address.getPort();
                    case Authority.Host host -> host.port();
                };
        if (port < 1 || authority.toString().chars().anyMatch(c -> c <= ' ' || c == '@' || c == '/' || c > '~')) {
            throw new AssertionError("accepted: " + authority);
        }
    }

    private static void same(Object one, Object other) {
        if (!one.equals(other)) {
            throw new AssertionError(one + " is not " + other);
        }
    }
}
