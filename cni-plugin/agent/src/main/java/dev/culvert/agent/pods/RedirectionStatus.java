package dev.culvert.agent.pods;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// Publishes how far the capture of each pod is: `pending` or `enabled`. In a cluster this is the annotation
/// `ambient.istio.io/redirection`; here a file for each pod, named by its uid.
public final class RedirectionStatus {
    private final Path directory;

    public RedirectionStatus(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
    }

    /// How far; absence means not captured.
    public enum State {
        PENDING("pending"),
        ENABLED("enabled");

        private final String word;

        State(String word) {
            this.word = word;
        }
    }

    /// Writes it whole or not at all.
    public void write(String uid, State state) throws IOException {
        var temporary = directory.resolve("." + uid + ".new");
        Files.writeString(temporary, state.word);
        Files.move(temporary, file(uid), StandardCopyOption.ATOMIC_MOVE);
    }

    public Optional<State> read(String uid) throws IOException {
        try {
            var word = Files.readString(file(uid)).strip();
            return Optional.of(word.equals(State.ENABLED.word) ? State.ENABLED : State.PENDING);
        } catch (NoSuchFileException notCaptured) { // asked by doing: it may go between two calls
            return Optional.empty();
        }
    }

    public void remove(String uid) throws IOException {
        Files.deleteIfExists(file(uid));
    }

    /// The pods that have one.
    public Set<String> uids() throws IOException {
        try (var files = Files.list(directory)) {
            var uids = new HashSet<String>();
            files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .forEach(uids::add);
            return uids;
        }
    }

    private Path file(String uid) {
        var file = directory.resolve(uid).normalize();
        if (!directory.normalize().equals(file.getParent())) {
            throw new IllegalArgumentException("not a uid: " + uid);
        }
        return file;
    }
}
