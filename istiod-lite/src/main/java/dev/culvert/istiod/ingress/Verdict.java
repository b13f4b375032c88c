package dev.culvert.istiod.ingress;

/// One condition of a listener or a route, as the Gateway API words it.
public record Verdict(boolean holds, String reason, String message) {
    static Verdict yes(String reason) {
        return new Verdict(true, reason, "No errors found");
    }

    static Verdict no(String reason, String message) {
        return new Verdict(false, reason, message);
    }
}
