package dev.culvert.e2e.kube.echo;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The lines of a head of HTTP/1.1.
final class Lines {
    private static final String LENGTH = "content-length:";

    private Lines() {}

    /// @return a line without its end, or null if there is none
    static @Nullable String read(InputStream in, int most) throws IOException {
        var line = new StringBuilder();
        while (true) {
            var octet = in.read();
            if (octet < 0) {
                return null;
            }
            if (octet == '\n') {
                return line.toString();
            }
            if (octet != '\r') {
                line.append((char) octet);
            }
            if (line.length() > most) {
                throw new IOException("a line of more than " + most + " characters");
            }
        }
    }

    /// The length of the body, if this header says it; else 0.
    static int length(String header) {
        return header.toLowerCase(Locale.ROOT).startsWith(LENGTH)
                ? Integer.parseInt(header.substring(LENGTH.length()).strip())
                : 0;
    }

    /// Whether the request is a copy of another one, by its authority.
    static boolean isShadow(String header) {
        return header.toLowerCase(Locale.ROOT).startsWith("host:") && header.contains("-shadow");
    }
}
