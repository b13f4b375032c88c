package dev.culvert.linux.socket;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TransparentSocketsTest {
    @Test
    void whoAdministersTheNamespaceMay() throws Exception {
        assertThat(TransparentSockets.isAllowed()).isTrue();
    }
}
