package dev.culvert.istiod.ca;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/// P-256 keys, and files that hold secrets (0600, renamed into place).
final class SigningKey {
    private static final String SPLIT = "-----PUBLIC-----\n";
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private SigningKey() {}

    static KeyPair generate() throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    /// The key in `file`, made at the first call.
    static KeyPair loadOrCreate(Path file) throws IOException, GeneralSecurityException {
        if (Files.exists(file)) {
            var parts = Files.readString(file).split(SPLIT, 2);
            if (parts.length != 2) {
                throw new IOException(file + ": not a key of ours; move it away to have a new one made");
            }
            var factory = KeyFactory.getInstance("EC");
            var decoder = Base64.getMimeDecoder();
            var secret = (ECPrivateKey) factory.generatePrivate(new PKCS8EncodedKeySpec(decoder.decode(parts[0])));
            var open = (ECPublicKey) factory.generatePublic(new X509EncodedKeySpec(decoder.decode(parts[1])));
            return new KeyPair(open, secret);
        }
        var pair = generate();
        writeSecret(
                file,
                BASE64.encodeToString(pair.getPrivate().getEncoded()) + "\n" + SPLIT
                        + BASE64.encodeToString(pair.getPublic().getEncoded()) + "\n");
        return pair;
    }

    static void writeSecret(Path file, String text) throws IOException {
        write(file, text, "rw-------");
    }

    static void writeOpen(Path file, String text) throws IOException {
        write(file, text, "rw-r--r--");
    }

    private static void write(Path file, String text, String mode) throws IOException {
        var temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
