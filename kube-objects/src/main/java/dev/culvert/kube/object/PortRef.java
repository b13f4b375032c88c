package dev.culvert.kube.object;

/// A port by number or by the name that a container gives it.
public sealed interface PortRef {
    record Numbered(int port) implements PortRef {}

    record Named(String name) implements PortRef {}
}
