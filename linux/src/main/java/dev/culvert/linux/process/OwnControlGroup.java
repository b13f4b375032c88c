package dev.culvert.linux.process;

import java.util.Optional;

/// A process's own control group of version 2.
/// @param path without a `/` at its beginning
/// @param level 1 for a group under the root
public record OwnControlGroup(String path, int level) {
    /// @param file as `/proc/PID/cgroup`
    /// @return empty for a process in the root group, or outside of what the reader may see
    public static Optional<OwnControlGroup> of(String file) {
        return file.lines()
                .filter(line -> line.startsWith("0::/"))
                .map(line -> line.substring("0::/".length()))
                .filter(path -> !path.isEmpty() && !path.startsWith(".."))
                .findFirst()
                .map(path -> new OwnControlGroup(path, path.split("/", -1).length));
    }
}
