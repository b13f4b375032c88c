package dev.culvert.ztunnel.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// The socket inodes of this process, from `/proc/self/fd`.
final class ProcessSockets {
    private static final String PREFIX = "socket:[";

    private ProcessSockets() {}

    static Set<Long> inodes() throws IOException {
        var inodes = new HashSet<Long>();
        try (var fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (var fd : fds) {
                var target = target(fd);
                if (target.startsWith(PREFIX)) {
                    inodes.add(Long.parseLong(target.substring(PREFIX.length(), target.length() - 1)));
                }
            }
        }
        return inodes;
    }

    private static String target(Path fd) throws IOException {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (NoSuchFileException _) {
            return "";
        }
    }
}
