package dev.culvert.proxy.ca;

import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.RevocationLists;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the revocation lists those of a file (`CRL_PATH`), looked at every two seconds, so that a symbolic link that
/// Kubernetes swaps is seen too. No file, or an empty one, revokes nothing; what cannot be read changes nothing. One
/// virtual thread of its own.
public final class RevocationFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final Duration PERIOD = Duration.ofSeconds(2);
    private static final long MAX_BYTES = 64L * 1024 * 1024;

    private final Path file;
    private final Revocation revocation;
    private final Runnable changed;
    private final Thread thread = Thread.ofVirtual().name("crl").unstarted(this::watch);
    private byte @Nullable [] seen;
    private @Nullable String complaint;

    /// @param changed told after each change, by the file's thread
    public RevocationFile(Path file, Revocation revocation, Runnable changed) {
        this.file = file;
        this.revocation = revocation;
        this.changed = changed;
    }

    /// Looks once, and then again and again.
    public void start() {
        look();
        thread.start();
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(PERIOD);
                if (look()) {
                    changed.run();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Whether other lists are in force now.
    boolean look() {
        try {
            var now = read();
            if (Arrays.equals(now, seen)) {
                return false;
            }
            seen = now;
            complaint = null;
            var lists = RevocationLists.parse(now);
            revocation.replace(lists);
            LOG.info("{}: {} revocation lists in force", file, lists.count());
            return true;
        } catch (IOException e) {
            complain(String.valueOf(e.getMessage()));
            return false;
        }
    }

    /// Once for each mistake.
    private void complain(String why) {
        if (!why.equals(complaint)) {
            complaint = why;
            LOG.error(
                    "{}: {}; the lists read before stay in force, if any: check the file, it must hold CRLs in PEM",
                    file,
                    why);
        }
    }

    private byte[] read() throws IOException {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("larger than " + MAX_BYTES + " bytes");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException none) {
            return new byte[0];
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
