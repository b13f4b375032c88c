package dev.culvert.hbone.headers;

import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetSocketAddress;

/// The `forwarded` header (RFC 7239) of a CONNECT, for telemetry only: `for="<ip:port>"`, `;host=<service>` if known.
/// @param host "" if unknown
public record Forwarded(String forAddress, String host) {
    private static final int MAX_LENGTH = 260; // a name of DNS and a port

    public static Forwarded of(InetSocketAddress source, String host) {
        return new Forwarded(Addresses.text(source), host);
    }

    /// What can be neither an address nor the name of a host counts as not said.
    public static Forwarded parse(CharSequence header) {
        var forAddress = "";
        var host = "";
        for (var part : header.toString().split(";", 8)) {
            var equals = part.indexOf('=');
            var value = equals < 0 ? "" : plausible(unquoted(part.substring(equals + 1)));
            if (part.startsWith("for=")) {
                forAddress = value;
            } else if (part.startsWith("host=")) {
                host = value;
            }
        }
        return new Forwarded(forAddress, host);
    }

    private static String unquoted(String value) {
        return value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value;
    }

    private static String plausible(String value) {
        return value.length() <= MAX_LENGTH && value.chars().allMatch(Forwarded::isOfAddressOrHost) ? value : "";
    }

    private static boolean isOfAddressOrHost(int c) {
        return c < 128 && (Character.isLetterOrDigit(c) || ".:-_[]%".indexOf(c) >= 0);
    }

    public String text() {
        return "for=\"" + forAddress + "\"" + (host.isEmpty() ? "" : ";host=" + host);
    }
}
