package dev.culvert.ztunnel.passthrough;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.proxy.telemetry.Traffic;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.relay.ConnectionRecord;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Relay;
import dev.culvert.ztunnel.relay.SocketDial;
import dev.culvert.ztunnel.relay.SocketEnd;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.route.Router;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One plaintext connection to a captured pod, from accept to close: policy without an identity, then bytes.
/// Confined to its loop.
final class PassthroughConnection implements LiveConnection {
    private final Pod pod;
    private final Worker worker;
    private final SocketEnd downstream;
    private final InetSocketAddress source;
    private final InetSocketAddress dst;
    private final ConnectionFacts facts;

    private @Nullable ConnectionRecord log;
    private @Nullable Relay relay;

    PassthroughConnection(Pod pod, DuplexChannel accepted) {
        this.pod = pod;
        this.worker = pod.node().worker(accepted.eventLoop());
        this.downstream = SocketEnd.install(accepted);
        this.source = Addresses.canonical((InetSocketAddress) accepted.remoteAddress());
        this.dst = pod.sockets().originalDst(accepted).addr();
        this.facts = new ConnectionFacts(null, source.getAddress(), dst);
    }

    void serve() {
        worker.add(this);
        pod.node().metrics().socketOpened(Traffic.Reporter.DESTINATION);
        refuseLoops()
                .thenCompose(_ -> pod.awaitWorkload(worker.loop()))
                .thenCompose(this::admit)
                .thenCompose(_ -> SocketDial.connect(
                        pod.sockets()::connect,
                        worker.loop(),
                        dst,
                        pod.node().settings().spoofSource() ? source.getAddress() : null))
                .thenCompose(upstream -> {
                    relay = new Relay(downstream, upstream);
                    var result = relay.start();
                    recheck(pod.node().mesh().current());
                    return result;
                })
                .whenComplete((_, failure) -> recordAndClose(failure));
    }

    private CompletableFuture<@Nullable Void> refuseLoops() {
        return Router.isOwnPort(dst.getPort())
                ? CompletableFuture.failedFuture(
                        ProxyException.of(FailureReason.LOOP, "attempted recursive call to ourselves"))
                : CompletableFuture.completedFuture(null);
    }

    private CompletableFuture<@Nullable Void> admit(Workload workload) {
        var mesh = pod.node().mesh().current();
        var client = mesh.workloadAt(pod.node().settings().network(), source.getAddress());
        log = new ConnectionRecord(
                pod.node().metrics(),
                new Traffic(
                        Traffic.Reporter.DESTINATION,
                        new Traffic.Party(client.orElse(null), Baggage.NONE, null),
                        Traffic.Party.of(workload),
                        null,
                        false),
                new AccessLog.Endpoints(source, dst, ""));
        var verdict = pod.node().verdict(mesh, workload, facts);
        return verdict.isAllowed()
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(ProxyException.of(FailureReason.POLICY_DENIED, verdict.text()));
    }

    private void recordAndClose(@Nullable Throwable failure) {
        worker.remove(this);
        pod.node().metrics().socketClosed(Traffic.Reporter.DESTINATION);
        if (log == null) {
            var why = failure == null ? "closed" : ProxyException.of(failure).text();
            AccessLog.failed(source, dst, "inbound", why);
        } else {
            log.end(relay, failure);
        }
        downstream.close();
    }

    @Override
    public Description describe() {
        return new Description(pod.id().uid(), true, source, null, dst, "TCP");
    }

    @Override
    public String podUid() {
        return pod.id().uid();
    }

    @Override
    public HboneTls.@Nullable Peer peer() {
        return null;
    }

    @Override
    public void recheck(MeshSnapshot mesh) {
        if (relay == null) {
            return;
        }
        var verdict = pod.workload(mesh).map(workload -> Authorizer.decide(mesh.policiesFor(workload), facts));
        if (verdict.isPresent() && !verdict.get().isAllowed()) {
            cut(
                    FailureReason.POLICY_CHANGED,
                    "connection closed due to policy change: " + verdict.get().text());
        }
    }

    @Override
    public void count() {
        if (log != null) {
            log.count(relay);
        }
    }

    @Override
    public void cut(FailureReason reason, String why) {
        if (relay != null) {
            relay.cut(reason, why);
        } else {
            downstream.abort();
        }
    }
}
