package dev.culvert.istiod.ca;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets another program sign, over a folder that both share; we never see the key. A request is
/// `requests/ID.csr`: a line `Seconds: N`, for how long, and the request as PEM, whose names are checked. The answer is
/// `answers/ID.pem`, the leaf first and then what leads to the roots, or `answers/ID.error`, a line of text. Both
/// sides write under a name that begins with a dot and then rename. The roots are `root-cert.pem`. Thread-safe.
public final class FolderSigner implements CertificateSigner {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);
    private static final Duration LOOK_FOR_ROOTS_EVERY = Duration.ofSeconds(5);
    private static final long MAX_BYTES = 256 << 10;
    private static final int MAX_CERTIFICATES = 20;
    private static final int MAX_REQUESTS = 64;
    private static final String ROOTS = "root-cert.pem";

    private final Path folder;
    private final Clock clock;
    private final Duration patience;
    private final Semaphore places = new Semaphore(MAX_REQUESTS);
    private volatile List<X509Certificate> roots;

    private FolderSigner(Path folder, Clock clock, Duration patience, List<X509Certificate> roots) {
        this.folder = folder;
        this.clock = clock;
        this.patience = patience;
        this.roots = roots;
    }

    /// @param folder must have `root-cert.pem` in it
    /// @throws GeneralSecurityException if there are no roots in it
    public static FolderSigner open(Path folder, Clock clock) throws IOException, GeneralSecurityException {
        return open(folder, clock, PATIENCE);
    }

    /// @param patience how long an answer may take
    static FolderSigner open(Path folder, Clock clock, Duration patience) throws IOException, GeneralSecurityException {
        Files.createDirectories(folder.resolve("requests"));
        Files.createDirectories(folder.resolve("answers"));
        return new FolderSigner(folder, clock, patience, readRoots(folder));
    }

    private static List<X509Certificate> readRoots(Path folder) throws IOException, GeneralSecurityException {
        try {
            var file = folder.resolve(ROOTS);
            return List.copyOf(PemText.certificates(file.toString(), read(file), MAX_CERTIFICATES));
        } catch (NoSuchFileException none) {
            throw new IOException(
                    folder.resolve(ROOTS) + " is missing; the signer has to put the roots of its certificates there",
                    none);
        }
    }

    private static String read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException(file + " is larger than " + MAX_BYTES + " bytes");
        }
        return Files.readString(file, StandardCharsets.US_ASCII);
    }

    /// Told that there are other roots.
    public interface Changed {
        void rootsChanged() throws IOException, GeneralSecurityException;
    }

    /// Until closed.
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    /// Takes over other roots from now on, as they come; those that share none with the ones in use are refused.
    /// @param changed told of others
    public Watch watch(Changed changed) {
        var watcher = Thread.ofVirtual().name("signer's roots").start(() -> {
            try {
                for (var last = roots; ; last = look(last, changed)) {
                    Thread.sleep(LOOK_FOR_ROOTS_EVERY);
                }
            } catch (InterruptedException _) {
                // closed
            }
        });
        return watcher::interrupt;
    }

    /// @param last seen, taken over or not
    private List<X509Certificate> look(List<X509Certificate> last, Changed changed) {
        try {
            var next = readRoots(folder);
            if (next.equals(last)) {
                return last;
            }
            if (SigningChain.shareARoot(roots, next)) {
                roots = next;
                LOG.info("the signer has other roots, {} of them", next.size());
                changed.rootsChanged();
            } else {
                LOG.error(
                        "{} shares no root with the ones in use and is not taken over: proxies would trust each other no"
                                + " more; put both there first",
                        folder.resolve(ROOTS));
            }
            return next;
        } catch (IOException | GeneralSecurityException wrong) {
            LOG.warn("the roots stay as they are: {}", wrong.getMessage());
            return last;
        }
    }

    @Override
    public Issued sign(CertificateRequest request, CertificateNames names, Duration life)
            throws IOException, GeneralSecurityException {
        if (!request.asked().equals(names)) {
            throw new GeneralSecurityException("the request asks for '" + request.asked()
                    + "'; what another program signs" + " has to ask for '" + names + "' and nothing else");
        }
        var until = clock.instant().plus(patience);
        try {
            if (!places.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(MAX_REQUESTS + " requests wait for the signer already: " + folder);
            }
            try {
                return checked(ask(request, life, until), request, names);
            } finally {
                places.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the signer was asked", e);
        }
    }

    private String ask(CertificateRequest request, Duration life, Instant until)
            throws IOException, GeneralSecurityException, InterruptedException {
        var id = UUID.randomUUID().toString();
        var question = folder.resolve("requests").resolve(id + ".csr");
        var answer = folder.resolve("answers").resolve(id + ".pem");
        var refusal = folder.resolve("answers").resolve(id + ".error");
        var hidden = question.resolveSibling("." + id);
        try {
            Files.writeString(hidden, "Seconds: " + life.toSeconds() + "\n" + request.pem());
            Files.move(hidden, question, StandardCopyOption.ATOMIC_MOVE);
            while (true) {
                if (Files.exists(answer)) {
                    return read(answer);
                }
                if (Files.exists(refusal)) {
                    throw new GeneralSecurityException(
                            "the signer refused: " + read(refusal).strip());
                }
                if (!clock.instant().isBefore(until)) {
                    throw new IOException("the signer has not answered " + question + " in " + patience.toSeconds()
                            + " s; does it run?");
                }
                Thread.sleep(LOOK_EVERY);
            }
        } finally {
            for (var file : List.of(hidden, question, answer, refusal)) {
                Files.deleteIfExists(file);
            }
        }
    }

    /// What another program has signed is believed only where it is what we asked for.
    private Issued checked(String pem, CertificateRequest request, CertificateNames names)
            throws GeneralSecurityException {
        var trusted = roots;
        var all = PemText.certificates("the signer's answer", pem, MAX_CERTIFICATES);
        var leaf = all.getFirst();
        if (!leaf.getPublicKey().equals(request.key())) {
            throw new GeneralSecurityException("the signer's answer is for another key");
        }
        var got = CertificateNames.in(leaf);
        if (!got.equals(names)) {
            throw new GeneralSecurityException("the signer's answer is for '" + got + "', not for '" + names + "'");
        }
        if (leaf.getBasicConstraints() >= 0) {
            throw new GeneralSecurityException("the signer's answer may sign others (CA:TRUE)");
        }
        var path = all.stream().filter(one -> !trusted.contains(one)).toList();
        try {
            SigningChain.requireLead(path, trusted, clock.instant());
        } catch (GeneralSecurityException broken) {
            throw new GeneralSecurityException(
                    "the signer's answer does not lead to " + folder.resolve(ROOTS) + ": " + broken.getMessage(),
                    broken);
        }
        return new Issued(path, trusted);
    }

    @Override
    public List<X509Certificate> trusted() {
        return roots;
    }

    @Override
    public Instant until() {
        return roots.stream()
                .map(root -> root.getNotAfter().toInstant())
                .min(Comparator.naturalOrder())
                .orElseThrow();
    }
}
