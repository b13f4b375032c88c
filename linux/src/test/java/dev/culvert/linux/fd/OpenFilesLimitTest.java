package dev.culvert.linux.fd;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OpenFilesLimitTest {
    @Test
    void theSoftLimitBecomesTheHardOne() throws Exception {
        var hard = OpenFilesLimit.current().hard();

        assertThat(OpenFilesLimit.raise()).isEqualTo(new OpenFilesLimit(hard, hard));
        assertThat(Files.readString(Path.of("/proc/self/limits")))
                .containsPattern("Max open files +" + hard + " +" + hard);
    }
}
