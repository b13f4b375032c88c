package dev.culvert.ztunnel.inpod;

import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.mesh.Lookup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.relay.HostNames;
import dev.culvert.ztunnel.relay.Worker;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.util.List;

/// What every connection of this process shares.
public record Node(
        MeshState mesh,
        CertificateStore certificates,
        ConnectionMetrics metrics,
        EventLoopGroup loops,
        List<Worker> workers,
        HostNames names,
        Lookup lookup,
        NodeSettings settings) {
    public Node {
        workers = List.copyOf(workers);
    }

    public Node with(NodeSettings others) {
        return new Node(mesh, certificates, metrics, loops, workers, names, lookup, others);
    }

    public Worker worker(EventLoop loop) {
        for (var worker : workers) {
            if (worker.loop().equals(loop)) {
                return worker;
            }
        }
        throw new IllegalStateException("not a loop of this process: " + loop);
    }
}
