package dev.culvert.ztunnel.inpod;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Workload;
import io.netty.channel.EventLoop;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// One pod that is served: its sockets, and its workload as the mesh knows it now. Thread-safe.
public final class Pod {
    private final PodId id;
    private final PodSockets sockets;
    private final Node node;

    private volatile Known known = new Known(MeshSnapshot.EMPTY, Optional.empty());

    private record Known(MeshSnapshot mesh, Optional<Workload> workload) {}

    public Pod(PodId id, PodSockets sockets, Node node) {
        this.id = id;
        this.sockets = sockets;
        this.node = node;
    }

    public PodId id() {
        return id;
    }

    public PodSockets sockets() {
        return sockets;
    }

    public Node node() {
        return node;
    }

    public long netnsInode() {
        return sockets.namespace().inode();
    }

    /// The pod's workload in `mesh`; remembered per snapshot, and by uid from one snapshot to the next.
    public Optional<Workload> workload(MeshSnapshot mesh) {
        var last = known;
        if (last.mesh == mesh) {
            return last.workload;
        }
        var found = last.workload
                .flatMap(old -> mesh.workload(old.uid()))
                .filter(this::isMine)
                .or(() ->
                        mesh.workloadOfPod(node.settings().nodeName(), id.namespace(), id.name(), id.serviceAccount()));
        known = new Known(mesh, found);
        return found;
    }

    private boolean isMine(Workload workload) {
        var here = node.settings().nodeName();
        return workload.name().equals(id.name())
                && workload.namespace().equals(id.namespace())
                && workload.names().serviceAccount().equals(id.serviceAccount())
                && (here.isEmpty() || workload.place().node().equals(here));
    }

    /// The workload, waiting for xDS up to the limit; completes on `loop`.
    public CompletableFuture<Workload> awaitWorkload(EventLoop loop) {
        var now = workload(node.mesh().current());
        if (now.isPresent()) {
            return CompletableFuture.completedFuture(now.get());
        }
        var result = new CompletableFuture<Workload>();
        var subscription = node.mesh()
                .onChange(mesh -> workload(mesh).ifPresent(found -> loop.execute(() -> result.complete(found))));
        var wait = node.settings().workloadWait();
        var timer = loop.schedule(
                () -> result.completeExceptionally(ProxyException.of(
                        FailureReason.UNKNOWN_WORKLOAD,
                        "the control plane has not told of " + id + " within " + wait.toSeconds() + " s")),
                wait.toMillis(),
                TimeUnit.MILLISECONDS);
        workload(node.mesh().current()).ifPresent(result::complete);
        result.whenComplete((_, _) -> {
            timer.cancel(false);
            subscription.close();
        });
        return result;
    }
}
