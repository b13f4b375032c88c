package dev.culvert.ztunnel.inpod;

import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.policy.Verdict;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.mesh.Lookup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.relay.HostNames;
import dev.culvert.ztunnel.relay.Worker;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

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
    private static final Logger POLICY_LOG = LoggerFactory.getLogger("policy");

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

    /// What the policies say of a new connection. What matched is logged, dry runs too (level DEBUG, or INFO with
    /// Istio's `AUTHZ_POLICY_INFO_LOGGING`); live connections are decided again without a line each.
    public Verdict verdict(MeshSnapshot snapshot, Workload workload, ConnectionFacts facts) {
        var policies = snapshot.policiesFor(workload);
        var verdict = Authorizer.decide(policies, facts);
        var level = settings.policyAtInfo() ? Level.INFO : Level.DEBUG;
        if (POLICY_LOG.isEnabledForLevel(level)) {
            for (var policy : policies.policies()) {
                if (verdict.dryRun().contains(policy.key())) {
                    POLICY_LOG
                            .atLevel(level)
                            .log("dry run: {} of {} matches {}", policy.action(), policy.key(), facts.text());
                }
            }
            POLICY_LOG.atLevel(level).log("{}: {}", verdict.text(), facts.text());
        }
        return verdict;
    }
}
