package dev.culvert.ztunnel.inpod;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The pods that are served, by Kubernetes uid. Thread-safe: guarded by this.
public final class PodTable {
    private static final Logger LOG = LoggerFactory.getLogger("inpod");

    private final PodProxy.Factory factory;
    private final SocketSettings sockets;
    private final Map<String, PodProxy> up = new LinkedHashMap<>();
    private final Map<String, Pending> pending = new HashMap<>();
    private final Set<String> seen = new HashSet<>();
    private boolean snapshotReceived;
    private long started;
    private long stopped;

    private record Pending(PodId id, NetworkNamespace namespace) {}

    public PodTable(PodProxy.Factory factory, SocketSettings sockets) {
        this.factory = factory;
        this.sockets = sockets;
    }

    /// A new conversation with the agent begins; what runs goes on.
    public synchronized void connected() {
        seen.clear();
        pending.values().forEach(waiting -> NetnsSockets.close(waiting.namespace));
        pending.clear();
        snapshotReceived = false;
    }

    /// @param namespace now owned here
    /// @throws IOException if its listeners cannot be bound yet; it is tried again
    public synchronized void add(PodId id, NetworkNamespace namespace) throws IOException {
        if (!snapshotReceived) {
            seen.add(id.uid());
        }
        var running = up.get(id.uid());
        if (running != null && running.pod().sockets().namespace().equals(namespace.id())) {
            NetnsSockets.close(namespace);
            return;
        }
        if (running != null) {
            stop(id.uid());
        }
        dropPending(id.uid());
        try {
            begin(id, namespace);
        } catch (IOException e) {
            pending.put(id.uid(), new Pending(id, namespace));
            throw e;
        }
    }

    private void begin(PodId id, NetworkNamespace namespace) throws IOException {
        var proxy = factory.create(id, new NetnsSockets(namespace, sockets));
        proxy.start();
        up.put(id.uid(), proxy);
        started++;
        LOG.info("pod {} is served", id);
    }

    private void dropPending(String uid) {
        var waiting = pending.remove(uid);
        if (waiting != null) {
            NetnsSockets.close(waiting.namespace);
        }
    }

    public synchronized void keep(String uid) {
        seen.add(uid);
    }

    public synchronized void delete(String uid) {
        dropPending(uid);
        if (snapshotReceived) {
            stop(uid);
        } else {
            seen.remove(uid);
        }
    }

    private void stop(String uid) {
        var proxy = up.remove(uid);
        if (proxy != null) {
            proxy.stop();
            stopped++;
            LOG.info("pod {} is no longer served", proxy.pod().id());
        }
    }

    /// All pods have been named: others are not served any more.
    public synchronized void snapshotSent() {
        for (var uid : List.copyOf(up.keySet())) {
            if (!seen.contains(uid)) {
                stop(uid);
            }
        }
        seen.clear();
        snapshotReceived = true;
    }

    public synchronized boolean isSnapshotReceived() {
        return snapshotReceived;
    }

    /// Tries again what could not be started.
    public synchronized void retryPending() {
        for (var waiting : List.copyOf(pending.values())) {
            try {
                begin(waiting.id, waiting.namespace);
                pending.remove(waiting.id.uid());
            } catch (IOException e) {
                LOG.warn("pod {} cannot be served yet: {}", waiting.id, e.getMessage());
            }
        }
    }

    public synchronized boolean isReady() {
        return snapshotReceived && pending.isEmpty();
    }

    /// No new connections in any pod.
    public synchronized void drain() {
        up.values().forEach(PodProxy::drain);
    }

    public synchronized void stopAll() {
        List.copyOf(up.keySet()).forEach(this::stop);
    }

    public synchronized List<PodProxy> running() {
        return List.copyOf(up.values());
    }

    public synchronized List<PodId> waiting() {
        var ids = new ArrayList<PodId>();
        pending.values().forEach(waiting -> ids.add(waiting.id));
        return ids;
    }

    public synchronized long startedTotal() {
        return started;
    }

    public synchronized long stoppedTotal() {
        return stopped;
    }

    /// Whether a pod with this identity is served here, by namespace and service account.
    public synchronized boolean serves(SpiffeId identity) {
        return up.values().stream()
                .map(proxy -> proxy.pod().id())
                .anyMatch(id -> id.namespace().equals(identity.namespace())
                        && id.serviceAccount().equals(identity.serviceAccount()));
    }
}
