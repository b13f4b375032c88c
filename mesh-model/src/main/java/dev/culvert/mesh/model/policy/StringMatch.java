package dev.culvert.mesh.model.policy;

/// One condition on a string of a policy.
public sealed interface StringMatch {
    record Exact(String value) implements StringMatch {}

    record Prefix(String value) implements StringMatch {}

    record Suffix(String value) implements StringMatch {}

    /// Any non-empty string.
    record Presence() implements StringMatch {}

    default boolean matches(String candidate) {
        return switch (this) {
            case Exact(var value) -> candidate.equals(value);
            case Prefix(var value) -> candidate.startsWith(value);
            case Suffix(var value) -> candidate.endsWith(value);
            case Presence() -> !candidate.isEmpty();
        };
    }
}
