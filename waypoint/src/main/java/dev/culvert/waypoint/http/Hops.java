package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.waypoint.policy.Caller;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which way a request came: as the connection says it and, for as many of its last steps as there are trusted
/// proxies, as `x-forwarded-for` says it. What stands before these anybody may have written; it is dropped.
/// @param client as a trusted proxy says it, else the connection's
/// @param told whether a trusted proxy has said it
/// @param forwardedFor the client first, our own peer last
/// @param scheme as the client's URL began
record Hops(InetAddress client, boolean told, String forwardedFor, String scheme) {
    /// With fewer steps than trusted proxies somebody has come past them, and only the connection counts (Envoy's
    /// `xff_num_trusted_hops`).
    static Hops of(HttpHeaders headers, Caller caller) {
        var peer = caller.source().getAddress();
        var said = caller.trustedProxies() == 0 ? List.<String>of() : steps(headers);
        var believed = said.subList(Math.max(0, said.size() - caller.trustedProxies()), said.size());
        var way = believed.stream().map(Hops::address).flatMap(Optional::stream).toList();
        if (way.isEmpty() || way.size() < caller.trustedProxies()) {
            return new Hops(peer, false, Addresses.text(peer), caller.scheme());
        }
        var whole = Stream.concat(way.stream(), Stream.of(peer)).map(Addresses::text);
        return new Hops(way.getFirst(), true, whole.collect(Collectors.joining(", ")), scheme(headers, caller));
    }

    private static List<String> steps(HttpHeaders headers) {
        return headers.getAll("x-forwarded-for").stream()
                .flatMap(value -> Stream.of(value.split(",", -1)))
                .map(String::strip)
                .toList();
    }

    /// Some proxies write a port behind it.
    private static Optional<InetAddress> address(String step) {
        if (step.startsWith("[")) {
            var end = step.indexOf(']');
            return end < 0 ? Optional.empty() : Addresses.parse(step.substring(1, end));
        }
        var colon = step.indexOf(':');
        var isIpv4WithPort = colon > 0 && colon == step.lastIndexOf(':');
        return Addresses.parse(isIpv4WithPort ? step.substring(0, colon) : step);
    }

    /// The last of the proxies says what the first of them had seen.
    private static String scheme(HttpHeaders headers, Caller caller) {
        var said = headers.getAll("x-forwarded-proto");
        var only = said.size() == 1 ? said.getFirst().strip().toLowerCase(Locale.ROOT) : "";
        return only.equals("http") || only.equals("https") ? only : caller.scheme();
    }

    /// As it goes on (RFC 7239).
    void writeTo(HttpHeaders headers, Caller caller) {
        headers.set("x-forwarded-for", forwardedFor);
        headers.set("x-forwarded-proto", scheme);
        headers.set(
                "forwarded", "for=\"" + (told ? node(client) : Addresses.text(caller.source())) + "\";proto=" + scheme);
    }

    private static String node(InetAddress ip) {
        var text = Addresses.text(ip);
        return text.indexOf(':') < 0 ? text : "[" + text + "]";
    }
}
