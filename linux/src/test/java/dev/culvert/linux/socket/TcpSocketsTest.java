package dev.culvert.linux.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TcpSocketsTest {
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void connectionIsListedAndDestroyed(String address) throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getByName(address));
                var client = new Socket(server.getInetAddress(), server.getLocalPort());
                var accepted = server.accept()) {
            var local = (InetSocketAddress) client.getLocalSocketAddress();
            var remote = (InetSocketAddress) client.getRemoteSocketAddress();
            assertThat(TcpSockets.list()).anySatisfy(socket -> {
                assertThat(socket.local()).isEqualTo(local);
                assertThat(socket.remote()).isEqualTo(remote);
                assertThat(socket.state()).isEqualTo(TcpSocket.State.ESTABLISHED);
                assertThat(socket.inode()).isPositive();
            });
            assertThat(TcpSockets.list()).anySatisfy(socket -> {
                assertThat(socket.local()).isEqualTo(remote);
                assertThat(socket.state()).isEqualTo(TcpSocket.State.LISTEN);
            });

            TcpSockets.destroy(local, remote);
            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> accepted.getInputStream().read()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> TcpSockets.destroy(local, remote))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void bothWaysOfListingAgree(String address) throws Exception {
        try (var server = new ServerSocket(0, 200, InetAddress.getByName(address))) {
            var open = new ArrayList<Socket>();
            for (var i = 0; i < 150; i++) {
                open.add(new Socket(server.getInetAddress(), server.getLocalPort()));
                open.add(server.accept());
            }
            assertThat(TcpSockets.list()).hasSizeGreaterThan(300).hasSameElementsAs(TcpSockets.listFromProc());
            for (var socket : open) {
                socket.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void listenerIsNotTakenForAConnectionThatHasGone(String address) throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getByName(address))) {
            var local = (InetSocketAddress) server.getLocalSocketAddress();
            assertThatThrownBy(() -> TcpSockets.destroy(local, new InetSocketAddress(address, 9)))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
            try (var client = new Socket(server.getInetAddress(), server.getLocalPort());
                    var accepted = server.accept()) {
                assertThat(client.getPort()).isEqualTo(accepted.getLocalPort());
            }
        }
    }
}
