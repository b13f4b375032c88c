package dev.culvert.daemon.shutdown;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LifecycleTest {
    private final List<String> closed = new CopyOnWriteArrayList<>();

    @Test
    void partsCloseOnceInReverseOrderWhateverOneOfThemThrows() {
        var life = new Lifecycle();
        life.add("first", () -> closed.add("first"));
        life.add("second", () -> {
            closed.add("second");
            throw new IOException("stuck");
        });
        life.add("third", () -> closed.add("third"));
        life.close();
        life.close();
        assertThat(closed).containsExactly("third", "second", "first");

        life.add("late", () -> closed.add("late"));
        assertThat(closed).last().isEqualTo("late");
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.SECONDS)
    void stopEndsTheWaitWithItsReason() {
        try (var life = new Lifecycle()) {
            Thread.ofVirtual().start(() -> life.stop("quitquitquit"));
            assertThat(life.await()).isEqualTo("quitquitquit");
            assertThat(life.stop("again")).isFalse();
        }
    }

    @Test
    void sigtermEndsAProcessInOrderWithExitCodeZero() throws Exception {
        var process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        SleepingProgram.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var lines = process.inputReader()) {
            for (var line = lines.readLine(); !"waiting".equals(line); line = lines.readLine()) {
                assertThat(line).as("the program's output").isNotNull();
            }
            process.toHandle().destroy(); // Process.destroy would close the pipe that we still read
            assertThat(lines.lines().toList()).contains("closed").last().isEqualTo("ended by SIGTERM");
            assertThat(process.waitFor()).isZero();
        }
    }

    /// What a program's `main` looks like.
    static final class SleepingProgram {
        static void main() {
            String reason;
            try (var life = new Lifecycle()) {
                life.add("part", () -> System.out.println("closed"));
                life.stopOnSignals();
                System.out.println("waiting");
                reason = life.await();
            }
            System.out.println("ended by " + reason);
        }
    }
}
