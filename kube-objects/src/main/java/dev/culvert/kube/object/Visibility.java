package dev.culvert.kube.object;

import java.util.List;

/// Where an object of `networking.istio.io` counts (`exportTo`).
///
/// @param namespaces by name, `*` for all, `.` for its own, `~` for none; empty for all
public record Visibility(List<String> namespaces) {
    public static final Visibility EVERYWHERE = new Visibility(List.of());

    public Visibility {
        namespaces = List.copyOf(namespaces);
    }

    /// This one, or another where it says nothing.
    public Visibility or(Visibility otherwise) {
        return namespaces.isEmpty() ? otherwise : this;
    }

    /// @param own namespace of the object
    /// @param namespace of who asks
    public boolean includes(String own, String namespace) {
        return namespaces.isEmpty()
                || namespaces.stream()
                        .anyMatch(one ->
                                one.equals("*") || one.equals(namespace) || (one.equals(".") && own.equals(namespace)));
    }
}
