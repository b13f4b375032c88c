package dev.culvert.cli;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Reads a growing log, each whole line once. A file that has become shorter is read from its start. For one thread.
final class LogTail {
    static final Duration PERIOD = Duration.ofMillis(300);

    /// Read at once; the rest comes with the next call.
    private static final int MAX_BYTES = 64 * 1024 * 1024;

    private final Path log;
    private long at;

    LogTail(Path log) {
        this.log = log;
    }

    /// The lines written since the last call; none if there is no file yet.
    List<String> read() throws IOException {
        if (!Files.exists(log)) {
            return List.of();
        }
        try (var file = new RandomAccessFile(log.toFile(), "r")) {
            at = file.length() < at ? 0 : at;
            file.seek(at);
            var bytes = new byte[(int) Math.min(file.length() - at, MAX_BYTES)];
            file.readFully(bytes);
            var end = bytes.length;
            while (end > 0 && bytes[end - 1] != '\n') {
                end--;
            }
            at += end;
            return new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList();
        }
    }
}
