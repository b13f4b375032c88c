package dev.culvert.agent.pods;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.socket.TcpSocket;
import dev.culvert.linux.socket.TcpSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Finds in a pod's TCP table the connections that go through the proxy. Tunnels between proxies are not
/// counted: they stay open for reuse when the last connection in them has ended.
final class CapturedConnections {
    private static final Set<Integer> PROXY_PORTS = Set.of(15001, 15006);
    private static final Set<TcpSocket.State> OVER = EnumSet.of(
            TcpSocket.State.LISTEN, TcpSocket.State.TIME_WAIT, TcpSocket.State.CLOSE, TcpSocket.State.BOUND_INACTIVE);

    private CapturedConnections() {}

    static long count(NetworkNamespace netns, List<InetAddress> ips) throws IOException {
        var sockets = netns.<List<TcpSocket>, IOException>call(TcpSockets::list);
        return sockets.stream().filter(socket -> captured(socket, ips)).count();
    }

    /// What an app opened is seen at the proxy's port; what it accepted, by the peer's address on the proxy's
    /// own socket.
    static boolean captured(TcpSocket socket, List<InetAddress> ips) {
        if (OVER.contains(socket.state())) {
            return false;
        }
        var local = socket.local().getAddress();
        var own = local.isLoopbackAddress() || local.isAnyLocalAddress() || local.isLinkLocalAddress();
        var spoofed = !own && !ips.contains(local);
        return PROXY_PORTS.contains(socket.local().getPort()) || spoofed;
    }
}
