package dev.culvert.kube.folder;

import dev.culvert.kube.object.ObjectSet;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Reads files of YAML once, by the same rules as a watched folder.
public final class YamlFiles {
    private static final int MAX_FILES = 20_000;

    private YamlFiles() {}

    /// @param paths files, and folders, of which `*.yaml` and `*.yml` are read, those of folders in them too
    /// @throws IOException a path is not there, a folder cannot be read, or there are more than 20,000 files
    public static ObjectSet read(List<Path> paths) throws IOException {
        var files = new ArrayList<FolderFile>();
        for (var file : files(paths)) {
            files.add(FolderFile.before(file, Said.NOTHING).becomes(Folder.read(file), file, Instant.EPOCH));
        }
        return Folders.combine(List.of(files), Map.of());
    }

    private static List<Path> files(List<Path> paths) throws IOException {
        var files = new ArrayList<Path>();
        for (var path : paths) {
            if (!Files.isDirectory(path)) {
                if (!Files.exists(path)) {
                    throw new FileNotFoundException(path + " is not there");
                }
                files.add(path);
                continue;
            }
            try (var all = Files.walk(path, FileVisitOption.FOLLOW_LINKS)) {
                all.filter(Folder::isYaml).limit(MAX_FILES + 1L).forEach(files::add);
            }
        }
        if (files.size() > MAX_FILES) {
            throw new IOException("there are more than " + MAX_FILES + " files");
        }
        return files.stream().distinct().sorted().toList();
    }
}
