package dev.culvert.agent.pods;

/// What is to become of a pod.
public sealed interface Wish {
    /// It was read that the pod is in the mesh.
    record Captured() implements Wish {}

    /// It was read that the pod is not in the mesh, and nothing is left unread that could say otherwise.
    record Released() implements Wish {}

    /// Nobody knows: a pod that is captured stays so, another is left alone.
    /// @param why what could not be read
    record Unknown(String why) implements Wish {}
}
