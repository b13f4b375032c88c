package dev.culvert.e2e.kube.cluster;

import dev.culvert.e2e.kube.Sniffer;
import dev.culvert.linux.socket.PacketCapture;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What goes over the wire of a node while this is open, searched for a word in clear.
final class Wire implements AutoCloseable {
    private final Process sniffer;
    private final Path errors;
    private final BufferedReader said;

    Wire(String node, String word) throws IOException {
        var device = Optional.ofNullable(System.getenv("CULVERT_KUBE_WIRE")).orElse("eth0");
        var classes = folder(Sniffer.class) + File.pathSeparator + folder(PacketCapture.class);
        errors = Files.createTempFile("culvert-wire", ".err");
        sniffer = new ProcessBuilder(Commands.configured(
                        "CULVERT_KUBE_NETWORK",
                        node,
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classes,
                        Sniffer.class.getName(),
                        device,
                        word))
                .redirectError(errors.toFile())
                .start();
        said = sniffer.inputReader();
        if (!"ready".equals(said.readLine())) {
            throw new AssertionError("the capture on " + node + " does not begin: " + Files.readString(errors));
        }
    }

    private static String folder(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }

    /// What was seen.
    record Seen(long frames, boolean clear) {}

    Seen stop() throws IOException {
        sniffer.getOutputStream().close();
        var frames = said.readLine();
        var clear = said.readLine();
        if (frames == null || clear == null) {
            throw new AssertionError("the capture failed: " + Files.readString(errors));
        }
        return new Seen(Long.parseLong(frames.substring("frames ".length())), clear.equals("clear true"));
    }

    @Override
    public void close() throws IOException {
        sniffer.destroy();
        Files.deleteIfExists(errors);
    }
}
