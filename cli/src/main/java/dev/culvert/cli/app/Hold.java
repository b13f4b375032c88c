package dev.culvert.cli.app;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Keeps one TCP connection to an echo port, and says when it is cut.
@Command(
        name = "hold",
        description = "Keeps one connection to an echo port busy and tells when it is cut (exit code 1).")
public final class Hold implements Callable<Integer> {
    private static final int ANSWER_MILLIS = 5000;

    @Parameters(paramLabel = "HOST:PORT", description = "The echo port.")
    String target = "";

    @Option(
            names = "--every",
            paramLabel = "MS",
            description = "Pause between lines (default: ${DEFAULT-VALUE}).",
            defaultValue = "200")
    long everyMillis;

    @Override
    public Integer call() throws InterruptedException {
        long sent = 0;
        try (var socket = new Socket()) {
            socket.connect(Target.parse(target).address(), ANSWER_MILLIS);
            socket.setSoTimeout(ANSWER_MILLIS);
            System.out.println("open " + socket.getLocalPort());
            var lines = Serve.lines(socket);
            while (true) {
                sent++;
                socket.getOutputStream().write((sent + "\n").getBytes(StandardCharsets.US_ASCII));
                var answer = lines.readLine();
                if (answer == null) {
                    throw new IOException("end of stream");
                }
                System.out.println("alive " + sent);
                Thread.sleep(Duration.ofMillis(everyMillis));
            }
        } catch (IOException e) {
            System.out.println("cut after " + sent + " lines: " + e.getMessage());
            return 1;
        }
    }
}
