package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.regex.Pattern;

/// IP addresses as Kubernetes writes them: no names, no short forms.
public final class Literals {
    private static final Pattern DOTTED = Pattern.compile("\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");

    private Literals() {}

    /// @throws IllegalArgumentException if the text is not an IP literal
    public static InetAddress address(String text) {
        var plain = text.contains(":")
                ? !text.contains("%") && !text.startsWith("[")
                : DOTTED.matcher(text).matches();
        if (!plain) {
            throw new IllegalArgumentException("not an IP address: " + text);
        }
        return InetAddress.ofLiteral(text);
    }
}
