package dev.culvert.linux.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The kubelet among a node's processes.
/// @param folder its `/proc/PID`
public record KubeletProcess(Path folder) {
    /// @param proc the node's
    /// @return empty if none runs
    public static Optional<KubeletProcess> find(Path proc) throws IOException {
        try (var folders = Files.newDirectoryStream(proc, "[1-9]*")) {
            for (var folder : folders) {
                if (isKubelet(folder)) {
                    return Optional.of(new KubeletProcess(folder));
                }
            }
        }
        return Optional.empty();
    }

    /// Its process may be named otherwise in small distributions.
    private static boolean isKubelet(Path process) {
        try {
            return switch (Files.readString(process.resolve("comm")).strip()) {
                case "kubelet" -> true;
                case "kubelite" -> Files.readString(process.resolve("cmdline")).contains("kubelet");
                case String name -> name.equals("k3s") || name.equals("k3s-server");
            };
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    /// By which it is told from a later process of the same number; empty if it is gone.
    public Optional<String> started() {
        try {
            var stat = Files.readString(folder.resolve("stat"));
            return Optional.of(stat.substring(stat.lastIndexOf(')')).split(" ", -1)[20]);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// @return empty if it has none of its own
    /// @throws IOException if it is gone
    public Optional<OwnControlGroup> group() throws IOException {
        return OwnControlGroup.of(Files.readString(folder.resolve("cgroup")));
    }
}
