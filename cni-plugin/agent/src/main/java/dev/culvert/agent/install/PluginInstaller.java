package dev.culvert.agent.install;

import dev.culvert.agent.install.NetworkFile.Edit;
import dev.culvert.json.Json;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the plugin in the container runtime's configuration, on one virtual thread: at the start, when a
/// file of the folder changes, and every few seconds. Rewrites a file only if our entry is missing or
/// another.
///
/// A network provider that writes its file anew while no agent runs, as after a reboot, would have pods start
/// past the mesh. So the same chain also stands in [#OWN], which comes first by name and which no provider writes.
public final class PluginInstaller implements Closeable {
    /// Of the network provider's name, plugins and options, with our entry.
    static final String OWN = "00-culvert-cni.conflist";

    private static final Logger LOG = LoggerFactory.getLogger(PluginInstaller.class);
    private static final Duration LOOK = Duration.ofSeconds(5);
    /// Between two looks, so that a fight with another writer stays a slow one.
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private static final int MANY_WRITES = 5;

    private final Where where;
    private final PluginFiles files;
    private final WatchService watcher;
    private final Thread thread = Thread.ofVirtual().name("cni-installer").unstarted(this::run);
    private volatile boolean installed;
    private String told = "";
    private int writes;

    /// What to install where.
    /// @param confDir the runtime's folder of network configurations
    /// @param confName the file in it, and then the runtime reads no other; the first by name if empty
    /// @param binDir the runtime's folder of plugins
    /// @param dist the plugin's distribution
    /// @param entry our entry of the chain
    /// @param removeOnExit whether all is undone at the end; during an upgrade it must stay
    public record Where(
            Path confDir, Optional<String> confName, Path binDir, Path dist, Json.Obj entry, boolean removeOnExit) {}

    private PluginInstaller(Where where, WatchService watcher) {
        this.where = where;
        this.files = new PluginFiles(where.dist, where.binDir);
        this.watcher = watcher;
    }

    /// Installs the program now, and the configuration as soon as there is a network provider's.
    public static PluginInstaller start(Where where) throws IOException {
        Files.createDirectories(where.confDir);
        var watcher = where.confDir.getFileSystem().newWatchService();
        try {
            where.confDir.register(
                    watcher,
                    StandardWatchEventKinds.ENTRY_CREATE,
                    StandardWatchEventKinds.ENTRY_MODIFY,
                    StandardWatchEventKinds.ENTRY_DELETE);
            var installer = new PluginInstaller(where, watcher);
            installer.files.install(); // before anything refers to it
            installer.thread.start();
            return installer;
        } catch (IOException | RuntimeException e) {
            watcher.close();
            throw e;
        }
    }

    /// The entry of the chain for a plugin that asks at `runDir`.
    public static Json.Obj entry(Path runDir, String systemNamespace, Set<String> excluded) {
        var entry = new LinkedHashMap<String, Json>();
        entry.put("name", new Json.Str(NetworkFile.TYPE));
        entry.put("type", new Json.Str(NetworkFile.TYPE));
        entry.put("cni_agent_run_dir", new Json.Str(runDir.toString()));
        entry.put("pod_namespace", new Json.Str(systemNamespace));
        var names = new TreeSet<>(excluded);
        names.add(systemNamespace);
        entry.put(
                "exclude_namespaces",
                new Json.Arr(names.stream().<Json>map(Json.Str::new).toList()));
        return Json.Obj.of(entry);
    }

    /// Whether the runtime's configuration has us.
    public boolean installed() {
        return installed;
    }

    private void run() {
        try {
            while (true) {
                look();
                var key = watcher.poll(LOOK.toMillis(), TimeUnit.MILLISECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                    Thread.sleep(PAUSE);
                } else {
                    writes = 0;
                }
            }
        } catch (ClosedWatchServiceException | InterruptedException e) {
            LOG.debug("the installer ends");
        }
    }

    private void look() {
        try {
            files.install();
            var file = file();
            if (file.isEmpty()) {
                installed = false;
                tell("waiting for a network provider's configuration in " + where.confDir);
                return;
            }
            var text = Files.readString(file.get());
            var edit = NetworkFile.install(name(file.get()), text, where.entry);
            keepOwn(file.get(), text, edit);
            apply(file.get(), edit);
        } catch (IOException e) {
            tell("the CNI plugin is not installed: " + e);
        }
    }

    private Optional<Path> file() throws IOException {
        if (where.confName.isPresent()) {
            return where.confName.map(where.confDir::resolve).filter(Files::exists);
        }
        return configurations().stream().findFirst();
    }

    private List<Path> configurations() throws IOException {
        try (var all = Files.list(where.confDir)) {
            return all.filter(
                            file -> NetworkFile.isOne(name(file)) && !name(file).equals(OWN))
                    .sorted()
                    .toList();
        }
    }

    /// Before the provider's own file is touched. What cannot be read leaves it as it is, and so does a provider whose
    /// file has gone: pods then do not start, rather than start outside the mesh.
    private void keepOwn(Path file, String text, Edit edit) throws IOException {
        if (edit instanceof Edit.Unreadable) {
            return;
        }
        var own = where.confDir.resolve(OWN);
        var chain = edit instanceof Edit.Write written ? written.text() : text;
        if (edit instanceof Edit.Refused || where.confName.isPresent() || NetworkFile.readsOthers(chain)) {
            Files.deleteIfExists(own);
        } else if (!Files.exists(own) || !chain.equals(Files.readString(own))) {
            write(file, own, chain);
            LOG.info("{} has the chain of {}", own, file);
        }
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private void apply(Path file, Edit edit) throws IOException {
        switch (edit) {
            case Edit.None() -> {
                installed = true;
                told = "";
            }
            case Edit.Write(var name, var text) -> {
                replace(file, where.confDir.resolve(name), text);
                installed = true;
                LOG.info("culvert-cni is in the chain of {}", where.confDir.resolve(name));
                if (++writes == MANY_WRITES) {
                    LOG.warn("somebody keeps removing culvert-cni from {}; with Cilium set cni.exclusive=false", file);
                }
            }
            case Edit.Unreadable(var why) -> {
                installed = false;
                tell(file + " cannot be read, so culvert-cni waits: " + why);
            }
            case Edit.Refused(var why) -> {
                installed = false;
                tell(file + " does not get culvert-cni: " + why);
            }
        }
    }

    private static void replace(Path old, Path target, String text) throws IOException {
        write(old, target, text);
        if (!old.equals(target)) {
            Files.delete(old);
        }
    }

    /// Whole or not at all, on the disk before it is seen, with the mode of `like`.
    private static void write(Path like, Path target, String text) throws IOException {
        var fresh = target.resolveSibling("." + name(target) + ".culvert");
        Files.deleteIfExists(fresh);
        var mode = PosixFilePermissions.asFileAttribute(Files.getPosixFilePermissions(like));
        var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (var out = FileChannel.open(fresh, options, mode)) {
            var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.setPosixFilePermissions(fresh, Files.getPosixFilePermissions(like));
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    }

    private void tell(String what) {
        if (!what.equals(told)) {
            told = what;
            LOG.warn("{}", what);
        }
    }

    /// Stops to watch, and removes what was installed if so asked.
    @Override
    public void close() throws IOException {
        stop();
        if (where.removeOnExit) {
            remove();
        }
    }

    /// Stops to watch, and removes what was installed.
    public void uninstall() throws IOException {
        stop();
        remove();
    }

    private void stop() throws IOException {
        watcher.close();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// From every file: another one may have become the first meanwhile.
    private void remove() throws IOException {
        for (var file : configurations()) {
            try {
                if (NetworkFile.remove(name(file), Files.readString(file)) instanceof Edit.Write(var name, var text)) {
                    replace(file, where.confDir.resolve(name), text);
                }
            } catch (NoSuchFileException e) {
                LOG.debug("{} has gone", file);
            }
        }
        Files.deleteIfExists(where.confDir.resolve(OWN));
        files.remove();
        LOG.info("culvert-cni is removed from {} and {}", where.confDir, where.binDir);
    }
}
