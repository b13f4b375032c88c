package dev.culvert.istiod.grpc;

import java.util.Optional;

/// Ports as text.
final class Ports {
    private static final int MAX = 65535;
    private static final int MAX_DIGITS = 5;

    private Ports() {}

    /// Empty if it is none.
    static Optional<Integer> parse(String text) {
        if (text.isEmpty()
                || text.length() > MAX_DIGITS
                || !text.chars().allMatch(digit -> digit >= '0' && digit <= '9')) {
            return Optional.empty();
        }
        var port = Integer.parseInt(text);
        return port >= 1 && port <= MAX ? Optional.of(port) : Optional.empty();
    }
}
