package dev.culvert.linux.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OwnedFdTest {
    @Test
    void numberIsGivenBackOnlyAfterTheLastUse() throws Exception {
        var fd = OwnedFd.open(Path.of("/etc/passwd"));
        var link = Path.of("/proc/self/fd", Integer.toString(fd.number()));
        fd.use(number -> {
            fd.close();
            assertThat(Files.exists(link)).isTrue();
            return number;
        });
        assertThat(Files.exists(link)).isFalse();
        assertThatThrownBy(() -> fd.use(number -> number)).isInstanceOf(ClosedChannelException.class);
        fd.close();
    }

    @Test
    void duplicateOutlivesTheOriginal() throws Exception {
        var fd = OwnedFd.open(Path.of("/etc/passwd"));
        try (var copy = fd.duplicate()) {
            fd.close();
            assertThat(Files.exists(Path.of("/proc/self/fd", Integer.toString(copy.number()))))
                    .isTrue();
        }
    }

    @Test
    void softLimitBecomesTheHardOne() throws Exception {
        var raised = OpenFilesLimit.raise();
        assertThat(raised.soft()).isEqualTo(raised.hard()).isPositive();
    }
}
