package dev.culvert.kube.object;

import java.util.Comparator;

/// Something in a user's file that does not do what its author meant: where, in which object, what, and what to
/// write instead.
///
/// @param object such as `AuthorizationPolicy shop/allow-cart`; empty if the text could not be read that far
public record Problem(Severity severity, Place place, String object, String message, String fix)
        implements Comparable<Problem> {
    private static final String UNUSED = "has no effect: ";

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

    /// A warning of an object of which nothing counts.
    public static Problem unused(Place place, String object, String why, String fix) {
        return warning(place, object, UNUSED + why, fix);
    }

    /// Whether it says that nothing of the object counts.
    public boolean isUnused() {
        return message.startsWith(UNUSED);
    }

    /// Whether the object, or what it is about, was left out.
    public boolean isError() {
        return severity == Severity.ERROR;
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
        var name = object.isEmpty() || place.source().endsWith(object) ? "" : object + ": ";
        return place + ": " + name + message + (fix.isEmpty() ? "" : " (" + fix + ")");
    }
}
