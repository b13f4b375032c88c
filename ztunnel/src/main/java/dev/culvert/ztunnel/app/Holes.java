package dev.culvert.ztunnel.app;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.socket.TcpSocket;
import dev.culvert.linux.socket.TcpSockets;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodProxy;
import dev.culvert.ztunnel.inpod.PodTable;
import dev.culvert.ztunnel.route.Router;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Open connections of served pods that do not go through us: those that were open before the pod was enrolled.
/// They go on, are listed, and end when a policy that covers them denies plaintext. One platform thread looks.
final class Holes {
    private static final Logger LOG = LoggerFactory.getLogger("holes");

    /// @param inbound whether the pod accepted it
    record Hole(Pod pod, boolean inbound, InetSocketAddress local, InetSocketAddress remote, Instant since) {}

    private record Pair(InetSocketAddress local, InetSocketAddress remote) {
        @SuppressWarnings("ArgumentSelectionDefectChecker") // swapped on purpose
        Pair mirrored() {
            return new Pair(remote, local);
        }
    }

    private final PodTable pods;
    private final OwnSockets own;
    private final Map<Pair, Instant> firstSeen = new HashMap<>();

    /// Tells which sockets in pods' namespaces are ours.
    interface OwnSockets {
        Set<Long> inodes() throws IOException;
    }

    Holes(PodTable pods, OwnSockets own) {
        this.pods = pods;
        this.own = own;
    }

    /// Looks now; call it on a platform thread. The kernel's table is not read at one moment: it may show one side
    /// of a new captured connection and not yet the other. What looks like a hole twice, and has not become ours
    /// in between, is one.
    synchronized List<Hole> find() throws IOException {
        var suspected = look();
        suspected.keySet().removeAll(own.inodes());
        var holes = new ArrayList<Hole>();
        if (!suspected.isEmpty()) {
            var again = look();
            again.keySet().removeAll(own.inodes());
            again.keySet().retainAll(suspected.keySet());
            holes.addAll(again.values());
        }
        firstSeen
                .keySet()
                .retainAll(holes.stream()
                        .map(hole -> new Pair(hole.local, hole.remote))
                        .collect(Collectors.toSet()));
        return holes;
    }

    /// Suspects by inode; our own sockets are among them.
    private Map<Long, Hole> look() throws IOException {
        var suspects = new LinkedHashMap<Long, Hole>();
        for (var proxy : pods.running()) {
            look(proxy, suspects);
        }
        return suspects;
    }

    private void look(PodProxy proxy, Map<Long, Hole> suspects) throws IOException {
        var table = proxy.pod().sockets().<List<TcpSocket>, IOException>inside(TcpSockets::list);
        var listening = new HashSet<Integer>();
        var pairs = new HashSet<Pair>();
        for (var socket : table) {
            if (socket.state() == TcpSocket.State.LISTEN) {
                listening.add(socket.local().getPort());
            }
            pairs.add(new Pair(socket.local(), socket.remote()));
        }
        for (var socket : table) {
            if (isOpen(socket) && !isCaptured(socket, pairs, table)) {
                var pair = new Pair(socket.local(), socket.remote());
                var since = firstSeen.computeIfAbsent(pair, _ -> Instant.now());
                var inbound = listening.contains(socket.local().getPort());
                suspects.put(socket.inode(), new Hole(proxy.pod(), inbound, socket.local(), socket.remote(), since));
            }
        }
    }

    private static boolean isOpen(TcpSocket socket) {
        var remote = socket.remote().getAddress();
        return (socket.state() == TcpSocket.State.ESTABLISHED
                        || socket.state() == TcpSocket.State.CLOSE_WAIT
                        || socket.state() == TcpSocket.State.FIN_WAIT1
                        || socket.state() == TcpSocket.State.FIN_WAIT2)
                && socket.inode() != 0
                && !remote.isLoopbackAddress()
                && !remote.equals(socket.local().getAddress())
                && !Router.isOwnPort(socket.local().getPort());
    }

    /// The other side of a captured connection is a socket in the same namespace: accepted on our outbound port, or
    /// one of ours with the client's address.
    private static boolean isCaptured(TcpSocket socket, Set<Pair> pairs, List<TcpSocket> table) {
        return pairs.contains(new Pair(socket.local(), socket.remote()).mirrored())
                || table.stream()
                        .anyMatch(other -> other.remote().equals(socket.local())
                                && Router.isOwnPort(other.local().getPort()));
    }

    /// Ends the holes that the policies deny: a plaintext connection to the pod without an identity.
    synchronized void enforce(MeshSnapshot mesh) throws IOException {
        for (var hole : find()) {
            if (hole.inbound) {
                enforce(mesh, hole);
            }
        }
    }

    /// Ends holes by a reset to both sides, because somebody asks for it. Call it on a platform thread.
    /// @param pod `namespace/name`, or "" for those of all pods
    /// @return what was ended
    synchronized List<Hole> cut(String pod) throws IOException {
        var ended = new ArrayList<Hole>();
        for (var hole : find()) {
            if ((pod.isEmpty() || pod.equals(hole.pod.id().toString())) && destroy(hole)) {
                LOG.info("ended the connection {} <-> {} of {}, as asked for", hole.local, hole.remote, hole.pod.id());
                ended.add(hole);
            }
        }
        return ended;
    }

    private static void enforce(MeshSnapshot mesh, Hole hole) throws IOException {
        var workload = hole.pod.workload(mesh);
        if (workload.isEmpty()) {
            return;
        }
        var facts = new ConnectionFacts(null, hole.remote.getAddress(), hole.local);
        var verdict = Authorizer.decide(mesh.policiesFor(workload.get()), facts);
        if (!verdict.isAllowed()) {
            if (!destroy(hole)) {
                return;
            }
            LOG.info(
                    "ended the connection {} <- {} of {}, open since before its enrolment: {}",
                    hole.local,
                    hole.remote,
                    hole.pod.id(),
                    verdict.text());
        }
    }

    /// False if it has ended by itself.
    private static boolean destroy(Hole hole) throws IOException {
        try {
            return hole.pod.sockets().<Boolean, IOException>inside(() -> {
                TcpSockets.destroy(hole.local, hole.remote);
                return true;
            });
        } catch (LinuxException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            return false;
        }
    }
}
