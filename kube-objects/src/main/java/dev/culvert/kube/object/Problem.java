package dev.culvert.kube.object;

import java.util.Comparator;

/// Something in a user's file that does not do what its author meant: where, in which object, what, and what to
/// write instead.
///
/// @param object such as `AuthorizationPolicy shop/allow-cart`; empty if the text could not be read that far
public record Problem(Severity severity, Place place, String object, String message, String fix)
        implements Comparable<Problem> {
    /// Whether the object was left out or only does less than it seems to.
    public enum Severity {
        ERROR,
        WARNING
    }

    public static Problem error(Place place, String object, String message, String fix) {
        return new Problem(Severity.ERROR, place, object, message, fix);
    }

    public static Problem warning(Place place, String object, String message, String fix) {
        return new Problem(Severity.WARNING, place, object, message, fix);
    }

    @Override
    public int compareTo(Problem other) {
        return Comparator.comparing(Problem::place)
                .thenComparing(Problem::severity)
                .thenComparing(Problem::object)
                .thenComparing(Problem::message)
                .thenComparing(Problem::fix)
                .compare(this, other);
    }

    @Override
    public String toString() {
        var name = object.isEmpty() ? "" : object + ": ";
        return place + ": " + name + message + (fix.isEmpty() ? "" : " (" + fix + ")");
    }
}
