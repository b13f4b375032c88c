package dev.culvert.proxy.mesh;

import com.google.protobuf.ByteString;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/// The configuration on disk that a restart without a control plane starts from: checksum in front, renamed into
/// place. It holds no secret. Confined to one thread.
public final class LastGoodState {
    private static final int MAGIC = 0x43565331;
    private static final int DIGEST_BYTES = 32;
    private static final long MAX_BYTES = 1L << 30;

    private final Path file;

    public LastGoodState(Path directory) throws IOException {
        Files.createDirectories(directory);
        this.file = directory.resolve("mesh.state");
    }

    /// @param savedAt how old it is
    public record Saved(ResourceStore resources, Instant savedAt) {}

    public void save(ResourceStore resources) throws IOException {
        var body = new ByteArrayOutputStream();
        write(resources, new DataOutputStream(body));
        var bytes = body.toByteArray();
        var temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (var out = Files.newOutputStream(temporary)) {
            out.write(digest(bytes));
            out.write(bytes);
        }
        move(temporary);
    }

    private void move(Path temporary) throws IOException {
        try {
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException(file + ": the file system cannot rename atomically", e);
        }
    }

    /// Empty if there is none.
    /// @throws IOException if what is there is damaged
    public Optional<Saved> load() throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException(file + ": larger than " + MAX_BYTES + " bytes");
        }
        var all = Files.readAllBytes(file);
        var body = all.length < DIGEST_BYTES ? new byte[0] : Arrays.copyOfRange(all, DIGEST_BYTES, all.length);
        if (!Arrays.equals(digest(body), Arrays.copyOf(all, DIGEST_BYTES))) {
            throw new IOException(file + ": the checksum is wrong, the file is not used");
        }
        return Optional.of(read(new DataInputStream(new ByteArrayInputStream(body))));
    }

    private static void write(ResourceStore resources, DataOutputStream out) throws IOException {
        out.writeInt(MAGIC);
        out.writeLong(Instant.now().toEpochMilli());
        out.writeInt(resources.types().size());
        for (var type : resources.types()) {
            var held = resources.held(type);
            out.writeUTF(type);
            out.writeInt(held.size());
            for (var entry : held.entrySet()) {
                out.writeUTF(entry.getKey());
                out.writeUTF(entry.getValue().version());
                out.writeInt(entry.getValue().bytes().size());
                entry.getValue().bytes().writeTo(out);
            }
        }
    }

    private Saved read(DataInputStream in) throws IOException {
        if (in.readInt() != MAGIC) {
            throw new IOException(file + ": not a saved mesh");
        }
        var savedAt = Instant.ofEpochMilli(in.readLong());
        var resources = new ResourceStore();
        for (var types = in.readInt(); types > 0; types--) {
            var type = in.readUTF();
            for (var count = in.readInt(); count > 0; count--) {
                var name = in.readUTF();
                var version = in.readUTF();
                var bytes = in.readNBytes(in.readInt());
                resources.put(type, name, new ResourceStore.Held(version, ByteString.copyFrom(bytes)));
            }
        }
        return new Saved(resources, savedAt);
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
