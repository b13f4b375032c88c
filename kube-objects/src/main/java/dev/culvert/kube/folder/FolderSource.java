package dev.culvert.kube.folder;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches folders of YAML. Every change leads to a look at what is there now; a listener gets the whole, and
/// only if it differs from before. The listener runs on the source's one virtual thread, first with what
/// [#open] found.
public final class FolderSource implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderSource.class);
    private static final Duration QUIET = Duration.ofMillis(50);
    private static final Duration RECHECK = Duration.ofSeconds(1);
    private static final int MAX_BATCHES = 20;
    private static final int MAX_REDIRECTION_BYTES = 64;

    private final List<Folder> folders;
    private final Optional<Path> redirectionDir;
    private final Consumer<ObjectSet> listener;
    private final WatchService watcher;
    private final Map<Path, WatchKey> keys = new HashMap<>();
    private final Thread thread;
    private volatile ObjectSet current = ObjectSet.EMPTY;

    /// What to read.
    ///
    /// @param folders `*.yaml` and `*.yml` directly in them; an object in a later folder replaces the one in an
    /// earlier
    /// @param redirectionDir files named by pod uid, with the value of the annotation
    /// `ambient.istio.io/redirection`; null if there is none
    /// @param copiesDir where what each file said last is kept for the next start, a folder that holds nothing
    /// else; null to keep nothing
    public record Where(
            List<Path> folders,
            @Nullable Path redirectionDir,
            @Nullable Path copiesDir) {
        public Where {
            folders = List.copyOf(folders);
        }
    }

    private FolderSource(
            List<Folder> folders, @Nullable Path redirectionDir, Consumer<ObjectSet> listener, WatchService watcher) {
        this.folders = folders;
        this.redirectionDir = Optional.ofNullable(redirectionDir);
        this.listener = listener;
        this.watcher = watcher;
        this.thread = Thread.ofVirtual().name("folder-source").unstarted(this::run);
    }

    /// Reads the folders and starts to watch them. A file that is broken now says what it said to the former
    /// process, if there is a copy.
    ///
    /// @throws NotDirectoryException if a folder is not there
    public static FolderSource open(Where where, Consumer<ObjectSet> listener) throws IOException {
        var source = new FolderSource(
                folders(where),
                where.redirectionDir(),
                listener,
                FileSystems.getDefault().newWatchService());
        try {
            for (var path : source.watched()) {
                if (!Files.isDirectory(path)) {
                    throw new NotDirectoryException(path.toString());
                }
                source.watch(path);
            }
            source.current = source.look(Set.of());
        } catch (IOException failed) {
            source.watcher.close();
            throw failed;
        }
        source.thread.start();
        return source;
    }

    private static List<Folder> folders(Where where) throws IOException {
        var root = where.copiesDir();
        if (root != null) {
            Files.createDirectories(root);
            Copies.retain(root, where.folders());
        }
        var folders = new ArrayList<Folder>();
        for (var path : where.folders()) {
            folders.add(new Folder(path, root == null ? null : new Copies(root, path), InstantSource.system()));
        }
        return folders;
    }

    /// What the folders said at the last look. Safe for any thread.
    public ObjectSet current() {
        return current;
    }

    private void run() {
        try {
            tell(current);
            while (!Thread.currentThread().isInterrupted()) {
                var touched = awaitChange();
                var now = look(touched);
                if (!now.equals(current)) {
                    current = now;
                    tell(now);
                }
            }
        } catch (ClosedWatchServiceException | InterruptedException closed) {
            log.debug("no longer watching");
        }
    }

    private void tell(ObjectSet now) {
        try {
            listener.accept(now);
        } catch (RuntimeException failed) {
            log.error("a listener of the folders failed; it is told again at the next change", failed);
        }
    }

    /// Blocks until something changed and nothing more changes for a moment, or a second of constant change
    /// went by.
    private Set<Path> awaitChange() throws InterruptedException {
        var touched = new HashSet<Path>();
        var key = watcher.poll(RECHECK.toMillis(), TimeUnit.MILLISECONDS);
        while (key == null && !lostFolder()) {
            key = watcher.poll(RECHECK.toMillis(), TimeUnit.MILLISECONDS);
        }
        for (var batch = 0; key != null && batch < MAX_BATCHES; batch++) {
            drain(key, touched);
            key = watcher.poll(QUIET.toMillis(), TimeUnit.MILLISECONDS);
        }
        if (key != null) {
            drain(key, touched);
        }
        return touched;
    }

    private void drain(WatchKey key, Set<Path> touched) {
        for (var event : key.pollEvents()) {
            if (key.watchable() instanceof Path folder && event.context() instanceof Path name) {
                touched.add(folder.resolve(name));
            }
        }
        key.reset();
    }

    private boolean lostFolder() {
        return watched().stream().anyMatch(path -> !isWatched(path));
    }

    private boolean isWatched(Path path) {
        var key = keys.get(path);
        return key != null && key.isValid();
    }

    private void watch(Path path) throws IOException {
        keys.put(path, path.register(watcher, new WatchEvent.Kind<?>[] {
            StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_MODIFY,
            StandardWatchEventKinds.ENTRY_DELETE
        }));
    }

    private List<Path> watched() {
        var paths = new ArrayList<>(folders.stream().map(Folder::path).toList());
        redirectionDir.ifPresent(paths::add);
        return paths;
    }

    /// What is there now. A folder that cannot be looked into keeps what it said before.
    private ObjectSet look(Set<Path> touched) {
        var problems = new ArrayList<Problem>();
        for (var folder : folders) {
            attempt(folder.path(), problems, () -> folder.refresh(touched));
        }
        var redirection = new HashMap<String, String>();
        redirectionDir.ifPresent(path -> attempt(path, problems, () -> readRedirection(path, redirection)));
        var now = Folders.combine(folders.stream().map(Folder::files).toList(), redirection);
        problems.addAll(now.problems());
        return new ObjectSet(now.objects(), problems, now.gaps());
    }

    private interface Step {
        void run() throws IOException;
    }

    private void attempt(Path folder, List<Problem> problems, Step step) {
        try {
            if (!isWatched(folder)) {
                watch(folder);
            }
            step.run();
        } catch (IOException gone) {
            var message = "the folder cannot be read: " + gone;
            problems.add(Problem.error(
                    new Place(folder, 1), "", message, "put it back; what it said before stays in force"));
        }
    }

    private static void readRedirection(Path folder, Map<String, String> into) throws IOException {
        try (var files = Files.newDirectoryStream(
                folder, file -> !file.getFileName().toString().startsWith("."))) {
            for (var file : files) {
                readWord(file).ifPresent(word -> into.put(file.getFileName().toString(), word));
            }
        }
    }

    private static Optional<String> readWord(Path file) {
        try (var in = Files.newInputStream(file)) {
            var word = new String(in.readNBytes(MAX_REDIRECTION_BYTES), StandardCharsets.UTF_8).strip();
            return Optional.of(word).filter(text -> !text.isEmpty());
        } catch (IOException removedMeanwhile) {
            return Optional.empty();
        }
    }

    /// Stops watching; no call of the listener begins after this returns.
    @Override
    public void close() throws IOException {
        watcher.close();
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
