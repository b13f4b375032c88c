package dev.culvert.agent.pods;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// A file for each pod, named by its uid.
public final class FolderStatus implements RedirectionStatus {
    private final Path directory;
    private final Map<String, String> notes = new HashMap<>();

    public FolderStatus(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
    }

    @Override
    public Optional<State> read(PodView pod) throws IOException {
        return read(pod.uid());
    }

    @Override
    public void write(PodView pod, State state) throws IOException {
        write(pod.uid(), state);
    }

    @Override
    public void remove(PodView pod) throws IOException {
        gone(pod.uid());
    }

    /// The log says it.
    @Override
    public boolean note(PodView pod, String text) {
        return !text.equals(Objects.requireNonNullElse(notes.put(pod.uid(), text), ""));
    }

    /// Writes it whole or not at all.
    void write(String uid, State state) throws IOException {
        var temporary = directory.resolve("." + uid + ".new");
        Files.writeString(temporary, state.word());
        Files.move(temporary, file(uid), StandardCopyOption.ATOMIC_MOVE);
    }

    Optional<State> read(String uid) throws IOException {
        try {
            var word = Files.readString(file(uid)).strip();
            return Optional.of(word.equals(State.ENABLED.word()) ? State.ENABLED : State.PENDING);
        } catch (NoSuchFileException notCaptured) { // asked by doing: it may go between two calls
            return Optional.empty();
        }
    }

    @Override
    public void gone(String uid) throws IOException {
        notes.remove(uid);
        Files.deleteIfExists(file(uid));
    }

    private Path file(String uid) {
        var file = directory.resolve(uid).normalize();
        if (!directory.normalize().equals(file.getParent())) {
            throw new IllegalArgumentException("not a uid: " + uid);
        }
        return file;
    }
}
