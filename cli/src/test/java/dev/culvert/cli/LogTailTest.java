package dev.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTailTest {
    @TempDir
    Path directory;

    @Test
    void eachWholeLineIsReadOnceAlsoAfterTheFileStartsAnew() throws Exception {
        var file = directory.resolve("a.log");
        var tail = new LogTail(file);
        assertThat(tail.read()).isEmpty();

        Files.writeString(file, "one\ntwo\nthr");
        assertThat(tail.read()).containsExactly("one", "two");
        assertThat(tail.read()).isEmpty();

        Files.writeString(file, "ee\n", StandardOpenOption.APPEND);
        assertThat(tail.read()).containsExactly("three");

        Files.writeString(file, "new\n");
        assertThat(tail.read()).containsExactly("new");
    }
}
