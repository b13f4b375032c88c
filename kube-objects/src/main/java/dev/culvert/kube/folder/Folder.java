package dev.culvert.kube.folder;

import dev.culvert.kube.read.YamlReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// The YAML files of one folder, as last read. Only files that changed are read again. For one thread.
final class Folder {
    private static final int MAX_FILES = 20_000;

    private final Path path;
    private final TreeMap<Path, Seen> files = new TreeMap<>();

    /// A file as it was when we read it.
    ///
    /// @param stamp changes when the file does
    private record Seen(String stamp, FolderFile file) {}

    Folder(Path path) {
        this.path = path;
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
    }

    Collection<FolderFile> files() {
        return files.values().stream().map(Seen::file).toList();
    }

    private void refresh(Path file, boolean touched) {
        var before = files.getOrDefault(file, new Seen("", FolderFile.NOTHING));
        try {
            var stamp = stamp(file);
            if (touched || !stamp.equals(before.stamp())) {
                files.put(file, new Seen(stamp, before.file().becomes(read(file))));
            }
        } catch (NoSuchFileException gone) {
            files.remove(file);
        } catch (IOException failed) {
            var problem = YamlReader.unreadable(file, "cannot be read: " + failed, "check the file's rights");
            files.put(file, new Seen("", before.file().becomes(problem)));
        }
    }

    private static YamlReader.Result read(Path file) throws IOException {
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

    private static boolean isYaml(Path file) {
        var name = file.getFileName().toString();
        return !name.startsWith(".") && (name.endsWith(".yaml") || name.endsWith(".yml")) && !Files.isDirectory(file);
    }
}
