package dev.culvert.agent.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Copies the plugin with its Java into the runtime's folder of plugins: a hidden folder named by its content, and a
/// launcher that is renamed into place, so that at each moment the launcher finds a whole program. What the former
/// launcher used stays until the next installation, for a plugin that is just running. Confined to one
/// thread at a time.
final class PluginFiles {
    private static final Logger LOG = LoggerFactory.getLogger(PluginFiles.class);
    private static final String HIDDEN = ".culvert-cni-";
    private static final String HERE = "dist=${0%/*}/..";

    private final Path dist;
    private final Path binDir;
    private String hash = "";

    /// @param dist as `build/make-dist` makes it
    PluginFiles(Path dist, Path binDir) {
        this.dist = dist;
        this.binDir = binDir;
    }

    void install() throws IOException {
        var launcher = Files.readString(dist.resolve("bin").resolve(NetworkFile.TYPE));
        if (!launcher.contains(HERE + "\n")) {
            throw new IOException(dist + " is not a distribution of culvert-cni: its launcher lacks " + HERE);
        }
        Files.createDirectories(binDir);
        var folder = HIDDEN + hash();
        var text = launcher.replace(HERE, "dist=${0%/*}/" + folder);
        if (Files.exists(binDir.resolve(folder)) && text.equals(installed())) {
            return;
        }
        removeFolders(installed());
        if (!Files.exists(binDir.resolve(folder))) {
            var fresh = Files.createTempDirectory(binDir, HIDDEN);
            copy(fresh);
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(fresh, binDir.resolve(folder), StandardCopyOption.ATOMIC_MOVE);
        }
        var fresh = binDir.resolve(HIDDEN + "launcher");
        Files.writeString(fresh, text);
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.move(fresh, launcher(), StandardCopyOption.ATOMIC_MOVE);
        LOG.info("{} is installed", launcher());
    }

    void remove() throws IOException {
        Files.deleteIfExists(launcher());
        removeFolders("");
    }

    private Path launcher() {
        return binDir.resolve(NetworkFile.TYPE);
    }

    private String installed() throws IOException {
        try {
            return Files.readString(launcher());
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    /// All that `launcher` does not name.
    private void removeFolders(String launcher) throws IOException {
        List<Path> folders;
        try (var files = Files.list(binDir)) {
            folders = files.filter(file -> file.getFileName().toString().startsWith(HIDDEN))
                    .filter(file -> !launcher.contains(file.getFileName() + "\n"))
                    .toList();
        }
        for (var folder : folders) {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure) throws IOException {
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private List<Path> files() throws IOException {
        try (var files = Files.walk(dist, FileVisitOption.FOLLOW_LINKS)) {
            return files.filter(file -> !Files.isDirectory(file)).sorted().toList();
        }
    }

    /// Of the distribution, which does not change under a running agent.
    private String hash() throws IOException {
        if (hash.isEmpty()) {
            hash = freshHash();
        }
        return hash;
    }

    private String freshHash() throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var file : files()) {
                digest.update(dist.relativize(file).toString().getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// With the files' times: Java does not use a cache that was made for jars of another time.
    private void copy(Path to) throws IOException {
        for (var file : files()) {
            var target = to.resolve(dist.relativize(file));
            Files.createDirectories(target.getParent());
            Files.copy(file.toRealPath(), target, StandardCopyOption.COPY_ATTRIBUTES);
        }
    }
}
