package dev.culvert.proxy.ca;

import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keys and chains in a memory file system, so that a restart without a CA finds them and a reboot does not. The
/// directory is 0700, its files 0600. A directory on a disk is refused.
public final class KeysOnTmpfs {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final String ROOTS = "#roots\n";

    private final Path directory;

    /// @throws IOException if the directory cannot be made, or is on a disk
    public KeysOnTmpfs(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        var type = Files.getFileStore(directory).type();
        if (!type.equals("tmpfs") && !type.equals("ramfs")) {
            throw new IOException(
                    directory + " is on " + type + ": keys are kept on tmpfs only, name another directory");
        }
    }

    void save(WorkloadCertificate certificate) {
        try {
            var text = new StringBuilder("#" + certificate.identity() + "\n").append(Pem.of(certificate.key()));
            for (var link : certificate.chain()) {
                text.append(Pem.of(link));
            }
            text.append(ROOTS);
            for (var root : certificate.roots()) {
                text.append(Pem.of(root));
            }
            write(file(certificate.identity()), text.toString());
        } catch (IOException | GeneralSecurityException e) {
            LOG.warn("the certificate of {} is not kept for a restart: {}", certificate.identity(), e.getMessage());
        }
    }

    private void write(Path file, String text) throws IOException {
        var temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    void remove(SpiffeId identity) {
        try {
            Files.deleteIfExists(file(identity));
        } catch (IOException | GeneralSecurityException e) {
            LOG.warn("the key of {} is not removed: {}", identity, e.getMessage());
        }
    }

    /// All that are valid now; what is expired or damaged is left out.
    List<WorkloadCertificate> load() {
        var found = new ArrayList<WorkloadCertificate>();
        try (var files = Files.newDirectoryStream(directory, "*.pem")) {
            for (var file : files) {
                var certificate = read(file);
                if (certificate.isValidAt(Instant.now())) {
                    found.add(certificate);
                }
            }
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            LOG.warn("kept keys in {} not used: {}", directory, e.getMessage());
        }
        return found;
    }

    private static WorkloadCertificate read(Path file) throws IOException, GeneralSecurityException {
        var text = Files.readString(file);
        var identity = SpiffeId.parse(text.substring(1, text.indexOf('\n')))
                .orElseThrow(() -> new IOException(file + ": no identity"));
        var end = "-----END PRIVATE KEY-----\n";
        var keyEnd = text.indexOf(end) + end.length();
        var roots = text.indexOf(ROOTS);
        return new WorkloadCertificate(
                identity,
                Pem.privateKey(text.substring(text.indexOf('\n') + 1, keyEnd)),
                Pem.certificates(text.substring(keyEnd, roots)),
                Pem.certificates(text.substring(roots + ROOTS.length())));
    }

    private Path file(SpiffeId identity) throws GeneralSecurityException {
        var hash =
                MessageDigest.getInstance("SHA-256").digest(identity.toString().getBytes(StandardCharsets.UTF_8));
        return directory.resolve(HexFormat.of().formatHex(hash, 0, 16) + ".pem");
    }
}
