package dev.culvert.testkit;

/// Which addresses pods and services have.
public enum Family {
    V4,
    V6,
    /// Both; connections then prefer IPv6, as resolvers do (RFC 6724).
    DUAL;

    boolean has(boolean v4) {
        return this == DUAL || (this == V4) == v4;
    }
}
