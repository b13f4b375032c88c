package dev.culvert.linux.netns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class NetworkNamespaceTest {
    @Test
    void socketMadeInsideStaysInsideAndTheThreadIsHomeAgain() throws Exception {
        var path = Namespaces.add("inside-test");
        try (var home = NetworkNamespace.current();
                var inside = NetworkNamespace.open(path)) {
            var loopback = InetAddress.getLoopbackAddress();
            try (ServerSocket server = inside.call(() -> new ServerSocket(0, 1, loopback))) {
                assertThat(NetworkNamespace.current().id()).isEqualTo(home.id()).isNotEqualTo(inside.id());
                assertThatThrownBy(() -> new Socket(loopback, server.getLocalPort()).close())
                        .isInstanceOf(ConnectException.class);
                try (Socket client = inside.call(() -> new Socket(loopback, server.getLocalPort()))) {
                    assertThat(client.isConnected()).isTrue();
                }
            }
        }
    }

    @Test
    void bodysFailureIsThrownAtHome() throws Exception {
        try (var home = NetworkNamespace.current();
                var inside = NetworkNamespace.open(Namespaces.add("failure-test"))) {
            assertThatThrownBy(() -> inside.call(() -> {
                        throw new IOException("of the body");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("of the body");
            assertThatThrownBy(() -> inside.call(() -> {
                        throw new IllegalStateException("unchecked");
                    }))
                    .hasMessage("unchecked");
            assertThat(NetworkNamespace.current().id()).isEqualTo(home.id());
        }
    }

    @Test
    void virtualThreadsAndNestingAreRefused() throws Exception {
        try (var inside = NetworkNamespace.open(Namespaces.add("refusal-test"))) {
            var failure = new AtomicReference<Throwable>();
            Thread.startVirtualThread(() -> {
                        try {
                            inside.call(() -> 1);
                        } catch (Exception e) {
                            failure.set(e);
                        }
                    })
                    .join();
            assertThat(failure.get()).hasMessageContaining("virtual thread");
            assertThatThrownBy(() -> inside.call(() -> inside.call(() -> 1))).hasMessageContaining("already inside");
            assertThat(inside.<Integer, RuntimeException>call(() -> 1)).isEqualTo(1);
        }
    }

    @Test
    void sameNamespaceHasTheSameIdentityWhateverTheDescriptor() throws Exception {
        var path = Namespaces.add("identity-test");
        try (var one = NetworkNamespace.open(path);
                var two = NetworkNamespace.open(path);
                var copy = NetworkNamespace.adopt(one.fd().duplicate());
                var other = NetworkNamespace.open(Namespaces.add("identity-other"))) {
            assertThat(one.id()).isEqualTo(two.id()).isEqualTo(copy.id()).isNotEqualTo(other.id());
        }
    }

    @Test
    void whatIsNoNetworkNamespaceIsRefusedByName() {
        assertThatThrownBy(() -> NetworkNamespace.open(Path.of("/run/netns/absent")))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
                .hasMessage("open(/run/netns/absent, O_CLOEXEC): ENOENT");
        assertThatThrownBy(() -> NetworkNamespace.open(Path.of("/proc/self/ns/pid")))
                .hasMessageContaining("not a network namespace");
        assertThatThrownBy(() -> NetworkNamespace.adopt(OwnedFd.open(Path.of("/etc/passwd"))))
                .hasMessageContaining("ENOTTY");
    }
}
