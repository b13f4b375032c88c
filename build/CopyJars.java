import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// CopyJars FOLDER JAR...: copies jars; a signed one without its signature, because the JDK keeps a signed jar's list of
/// digests on the heap for as long as the jar is open (5 MB for Bouncy Castle's), and nothing here asks who signed a class:
/// Maven has checked the jar's hash.
class CopyJars {
    public static void main(String[] arguments) throws IOException {
        var folder = Path.of(arguments[0]);
        for (var i = 1; i < arguments.length; i++) {
            var jar = Path.of(arguments[i]);
            var copy = folder.resolve(jar.getFileName());
            if (Files.exists(copy)) {
                System.err.println("make-dist: two jars are called " + jar.getFileName());
                System.exit(1);
            }
            copy(jar, copy);
        }
    }

    private static void copy(Path jar, Path copy) throws IOException {
        try (var from = new JarFile(jar.toFile(), false)) {
            if (from.stream().noneMatch(entry -> isSignature(entry.getName()))) {
                Files.copy(jar, copy);
                return;
            }
            try (var to = new ZipOutputStream(Files.newOutputStream(copy))) {
                entry(to, JarFile.MANIFEST_NAME, manifest(from));
                for (var entry : (Iterable<JarEntry>) from.stream()::iterator) {
                    var name = entry.getName();
                    if (!entry.isDirectory() && !isSignature(name) && !name.equals(JarFile.MANIFEST_NAME)) {
                        try (var in = from.getInputStream(entry)) {
                            entry(to, name, in::transferTo);
                        }
                    }
                }
            }
        }
    }

    private interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /// The main attributes alone: the other sections are the digests.
    private static Content manifest(JarFile from) throws IOException {
        var kept = new Manifest();
        kept.getMainAttributes().putAll(from.getManifest().getMainAttributes());
        return kept::write;
    }

    private static void entry(ZipOutputStream to, String name, Content content) throws IOException {
        var entry = new ZipEntry(name);
        entry.setTimeLocal(java.time.LocalDateTime.of(2000, 1, 1, 0, 0)); // the same bytes at every build
        to.putNextEntry(entry);
        content.writeTo(to);
        to.closeEntry();
    }

    private static boolean isSignature(String name) {
        return name.matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)");
    }
}
