package dev.culvert.daemon.config;

import java.util.regex.Pattern;

/// Numbers of bytes as people write them: `65536`, `64KiB`, `16MiB`, `1GiB`.
public final class Sizes {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})(|KiB|MiB|GiB)");

    private Sizes() {}

    /// @return bytes
    /// @throws IllegalArgumentException if the text has another form
    public static long parse(String text) {
        var match = SIZE.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException("not a size: " + text);
        }
        return Long.parseLong(match.group(1)) << shift(match.group(2));
    }

    public static String print(long bytes) {
        for (var unit : new String[] {"GiB", "MiB", "KiB"}) {
            if (bytes != 0 && bytes % (1L << shift(unit)) == 0) {
                return (bytes >> shift(unit)) + unit;
            }
        }
        return Long.toString(bytes);
    }

    private static int shift(String unit) {
        return switch (unit) {
            case "KiB" -> 10;
            case "MiB" -> 20;
            case "GiB" -> 30;
            default -> 0;
        };
    }
}
