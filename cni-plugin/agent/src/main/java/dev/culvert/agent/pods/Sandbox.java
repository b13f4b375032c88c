package dev.culvert.agent.pods;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;

/// What the container runtime says of a pod that it starts, before anything of it runs.
/// @param netns where its network namespace can be opened
/// @param ips what it has got there
public record Sandbox(Pod pod, Attachment attachment, Path netns, List<InetAddress> ips) {
    /// Which pod.
    /// @param uid empty if the runtime does not tell it
    public record Pod(String namespace, String name, String uid) {
        /// Whether `view` is this pod. A static pod's object has a uid of its own, and the kubelet's in an annotation.
        boolean is(PodView view) {
            return namespace.equals(view.name().namespace())
                    && name.equals(view.name().name())
                    && (uid.isEmpty()
                            || uid.equals(view.uid())
                            || uid.equals(view.annotations().get("kubernetes.io/config.hash")));
        }

        @Override
        public String toString() {
            return namespace + "/" + name;
        }
    }

    /// The runtime's own key (CNI specification, "Runtime parameters").
    public record Attachment(String network, String containerId, String ifName) {}

    public Sandbox {
        ips = List.copyOf(ips);
    }
}
