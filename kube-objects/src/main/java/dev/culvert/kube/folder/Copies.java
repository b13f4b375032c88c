package dev.culvert.kube.folder;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the files of one folder said last, on disk, for a start over a file that cannot be read: one copy for
/// each, checksum in front, renamed into place, readable by the owner only. For one thread.
final class Copies {
    static final int MAX_BYTES = 32 << 20;
    private static final Logger log = LoggerFactory.getLogger(Copies.class);
    private static final int DIGEST_BYTES = 32;
    private static final String SUFFIX = ".copy";

    private final Path folder;
    private final Path directory;
    private final Map<Path, Said> saved = new HashMap<>();

    /// @param root holds the copies of one program, and nothing else
    /// @param folder whose files
    Copies(Path root, Path folder) throws IOException {
        this.folder = folder;
        this.directory = Files.createDirectories(root.resolve(directoryName(folder)), permissions("rwx------"));
    }

    /// Removes the copies of folders that are no longer read.
    static void retain(Path root, List<Path> folders) throws IOException {
        var names = folders.stream().map(Copies::directoryName).collect(Collectors.toSet());
        for (var directory : list(root)) {
            var name = directory.getFileName().toString();
            if (name.matches("[0-9a-f]{64}") && !names.contains(name)) {
                for (var copy : list(directory)) {
                    Files.delete(copy);
                }
                Files.delete(directory);
            }
        }
    }

    private static String directoryName(Path folder) {
        return hash(folder.toAbsolutePath().normalize().toString());
    }

    /// All that are whole, by file. One that is not counts as none.
    Map<Path, Said> load() throws IOException {
        var all = new HashMap<Path, Said>();
        for (var copy : list(directory)) {
            if (copy.getFileName().toString().endsWith(SUFFIX)) {
                try {
                    var decoded = SaidCodec.decode(folder, checked(copy));
                    if (!copy.equals(copyOf(decoded.file()))) {
                        throw new IOException("it is of another file, " + decoded.file());
                    }
                    all.put(decoded.file(), decoded.said());
                } catch (IOException damaged) {
                    log.warn(
                            "the copy {} is not used: {}; what its file in {} said before is lost, if that cannot be read"
                                    + " now: mend the file",
                            copy,
                            damaged.getMessage(),
                            folder);
                }
            }
        }
        return all;
    }

    private static byte[] checked(Path copy) throws IOException {
        if (Files.size(copy) > MAX_BYTES + DIGEST_BYTES) {
            throw new IOException("larger than " + MAX_BYTES + " bytes");
        }
        var all = Files.readAllBytes(copy);
        if (all.length < DIGEST_BYTES) {
            throw new IOException("it is cut off");
        }
        var body = Arrays.copyOfRange(all, DIGEST_BYTES, all.length);
        if (!Arrays.equals(digest(body), Arrays.copyOf(all, DIGEST_BYTES))) {
            throw new IOException("its checksum is wrong");
        }
        return body;
    }

    /// Makes the copies equal to what the files say. One that cannot be written is removed, since an old one would
    /// say something else, and tried again the next time.
    void become(Map<Path, Said> now) {
        saved.keySet().retainAll(now.keySet());
        try {
            removeOthers(now.keySet());
        } catch (IOException failed) {
            log.warn("copies of files that are gone cannot be removed from {}: {}", directory, failed.toString());
        }
        now.forEach((file, said) -> {
            if (!said.equals(saved.get(file))) {
                save(file, said);
            }
        });
    }

    private void removeOthers(Set<Path> files) throws IOException {
        var expected = files.stream().map(this::copyOf).collect(Collectors.toSet());
        for (var copy : list(directory)) {
            if (!expected.contains(copy)) {
                Files.delete(copy);
            }
        }
    }

    private void save(Path file, Said said) {
        try {
            write(copyOf(file), SaidCodec.encode(file, said));
            saved.put(file, said);
        } catch (IOException failed) {
            saved.remove(file);
            log.error("{} cannot be kept for a later start: {}; is the disk full?", file, failed.toString());
            removeOld(file);
        }
    }

    private void removeOld(Path file) {
        try {
            Files.deleteIfExists(copyOf(file));
        } catch (IOException failed) {
            log.error("{} is out of date and cannot be removed: {}; remove it", copyOf(file), failed.toString());
        }
    }

    private static void write(Path copy, byte[] body) throws IOException {
        if (body.length > MAX_BYTES) {
            throw new IOException("larger than " + MAX_BYTES + " bytes");
        }
        var temporary = copy.resolveSibling(copy.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, permissions("rw-------"));
        try (var out = Files.newOutputStream(temporary, StandardOpenOption.WRITE)) {
            out.write(digest(body));
            out.write(body);
        }
        Files.move(temporary, copy, StandardCopyOption.ATOMIC_MOVE);
    }

    private Path copyOf(Path file) {
        return directory.resolve(hash(file.getFileName().toString()) + SUFFIX);
    }

    private static List<Path> list(Path directory) throws IOException {
        try (var all = Files.list(directory)) {
            return all.toList();
        }
    }

    private static FileAttribute<?> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    private static String hash(String text) {
        return HexFormat.of().formatHex(digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
