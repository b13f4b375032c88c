package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// What a test leaves behind fails it.
class KitTest {
    private static Mesh mesh() throws IOException {
        return Mesh.start(BackendKind.IN_PROCESS, Family.DUAL);
    }

    private static String closed(Mesh mesh) {
        try {
            mesh.close();
            return "";
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void cleanMeshClosesWithoutAWord() throws IOException {
        var mesh = mesh();
        mesh.workload("server").captured().echo(80);
        assertThatCode(mesh::close).doesNotThrowAnyException();
    }

    @Test
    void bufferThatNobodyReleasedFailsTheTest() throws IOException {
        var mesh = mesh();
        loseABuffer();
        assertThat(closed(mesh)).contains("LEAK: ByteBuf.release() was not called");
    }

    private static void loseABuffer() {
        ByteBufAllocator.DEFAULT.directBuffer(64).writeByte(1);
    }

    @Test
    void unexplainedErrorLineFailsTheTest() throws IOException {
        var mesh = mesh();
        LoggerFactory.getLogger("test").error("the house is on fire");
        assertThat(closed(mesh)).contains("unexplained error line: test the house is on fire");
    }

    @Test
    void errorThatIsExpectedAndDoesNotComeFailsTheTest() throws IOException {
        var mesh = mesh();
        mesh.expectError("smoke");
        assertThat(closed(mesh)).contains("no error line has: smoke");
    }

    @Test
    void threadAndSocketThatStayFailTheTest() throws Exception {
        var mesh = mesh();
        var end = new CountDownLatch(1);
        var thread = Thread.ofPlatform().name("lost").start(() -> awaitQuietly(end));
        try (var socket = new ServerSocket(0)) {
            assertThat(closed(mesh)).contains("lost");
            assertThat(socket.isClosed()).isFalse();
        }
        end.countDown();
        thread.join();
    }

    private static void awaitQuietly(CountDownLatch end) {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void workloadThatRunsIsNotDescribedAnyMore() throws IOException {
        try (var mesh = mesh()) {
            var server = mesh.workload("server").echo(80);
            assertThatThrownBy(() -> server.on("elsewhere"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("describe it before its first use");
        }
    }
}
