package dev.culvert.kube.folder;

import dev.culvert.kube.read.YamlReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The YAML files of one folder, as last read, by this process or a former one. Only files that changed are read
/// again. A file is gone when its name is; one that is there and cannot be read says what it said. For one
/// thread.
final class Folder {
    private static final int MAX_FILES = 20_000;

    private final Path path;
    private final Optional<Copies> copies;
    private final InstantSource clock;
    private final TreeMap<Path, Seen> files = new TreeMap<>();

    /// A file as it was when we read it.
    ///
    /// @param stamp changes when the file does
    private record Seen(String stamp, FolderFile file) {}

    /// @param copies null to keep none
    Folder(Path path, @Nullable Copies copies, InstantSource clock) throws IOException {
        this.path = path;
        this.copies = Optional.ofNullable(copies);
        this.clock = clock;
        if (copies != null) {
            copies.load().forEach((file, said) -> files.put(file, new Seen("", FolderFile.before(file, said))));
        }
    }

    Path path() {
        return path;
    }

    /// Reads again what changed.
    ///
    /// @param touched files to read again whatever their stamp says
    void refresh(Set<Path> touched) throws IOException {
        var present = list();
        files.keySet().retainAll(present);
        for (var file : present) {
            refresh(file, touched.contains(file));
        }
        copies.ifPresent(kept -> kept.become(said()));
    }

    private Map<Path, Said> said() {
        return files.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().file().said()));
    }

    Collection<FolderFile> files() {
        return files.values().stream().map(Seen::file).toList();
    }

    private void refresh(Path file, boolean touched) {
        var seen = files.get(file);
        var before = seen == null ? new Seen("", FolderFile.before(file, Said.NOTHING)) : seen;
        try {
            var stamp = stamp(file);
            if (touched || !stamp.equals(before.stamp())) {
                files.put(file, new Seen(stamp, becomes(before, file, read(file))));
            }
        } catch (IOException failed) {
            if (Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
                files.remove(file);
                return;
            }
            var problem = YamlReader.unreadable(
                    file, "cannot be read: " + failed, "check the file's rights, and where it links to");
            files.put(file, new Seen("", becomes(before, file, problem)));
        }
    }

    private FolderFile becomes(Seen before, Path file, YamlReader.Result now) {
        return before.file().becomes(now, file, clock.instant());
    }

    static YamlReader.Result read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            var bytes = in.readNBytes(YamlReader.maxBytes() + 1);
            if (bytes.length > YamlReader.maxBytes()) {
                var mebibytes = YamlReader.maxBytes() >> 20;
                return YamlReader.unreadable(
                        file, "is larger than " + mebibytes + " MiB", "spread it over several files");
            }
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return YamlReader.read(file, text.toString());
        } catch (CharacterCodingException notUtf8) {
            return YamlReader.unreadable(file, "is not UTF-8 text", "save it as UTF-8");
        }
    }

    private static String stamp(Path file) throws IOException {
        var attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new IOException("it is not a regular file");
        }
        return attributes.lastModifiedTime() + " " + attributes.size() + " " + Objects.toString(attributes.fileKey());
    }

    private List<Path> list() throws IOException {
        var found = new ArrayList<Path>();
        try (var all = Files.newDirectoryStream(path, Folder::isYaml)) {
            all.forEach(found::add);
        } catch (DirectoryIteratorException failed) {
            throw failed.getCause();
        }
        if (found.size() > MAX_FILES) {
            throw new IOException("more than " + MAX_FILES + " files in " + path);
        }
        found.sort(null);
        return found;
    }

    static boolean isYaml(Path file) {
        var name = file.getFileName().toString();
        return !name.startsWith(".") && (name.endsWith(".yaml") || name.endsWith(".yml")) && !Files.isDirectory(file);
    }
}
