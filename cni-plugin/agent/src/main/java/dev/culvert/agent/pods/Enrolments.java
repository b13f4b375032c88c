package dev.culvert.agent.pods;

import dev.culvert.agent.pods.EnrolledPod.Step;
import dev.culvert.agent.pods.RedirectionStatus.State;
import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.Probes;
import dev.culvert.agent.zds.ServedPod;
import dev.culvert.agent.zds.ZdsServer;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The pods that we have touched, and the steps by which one is captured and let go: its rules, the node's,
/// ztunnel, its status, in the order that leaves no gap. Confined to the reconciler's thread, but for [#served].
final class Enrolments implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Enrolments.class);

    private final Selection selection;
    private final NamespaceRules rules;
    private final RedirectionStatus status;
    private final Means means;
    private final Timing timing;
    private final PodNotes notes;
    private final Map<String, EnrolledPod> pods = new HashMap<>();
    private @Nullable ZdsServer zds;

    /// What ztunnel is told on connecting; replaced as a whole.
    private volatile List<ServedPod> served = List.of();

    Enrolments(Selection selection, Means means, Timing timing, PodNotes notes) {
        this.selection = selection;
        this.means = means;
        this.rules = means.rules();
        this.status = means.status();
        this.timing = timing;
        this.notes = notes;
    }

    /// @param server who tells ztunnel
    void tell(ZdsServer server) {
        zds = server;
    }

    List<ServedPod> served() {
        return served;
    }

    Collection<EnrolledPod> all() {
        return List.copyOf(pods.values());
    }

    Optional<EnrolledPod> find(String uid) {
        return Optional.ofNullable(pods.get(uid));
    }

    /// Begins with a pod, unless it has begun already.
    EnrolledPod begin(PodView view) {
        return pods.computeIfAbsent(view.uid(), _ -> new EnrolledPod(view));
    }

    /// Takes over a pod that a former agent captured, and re-makes its rules in one step.
    EnrolledPod adopt(PodView view) {
        var pod = new EnrolledPod(view);
        pods.put(view.uid(), pod);
        try {
            rules.enrol(open(pod), capture(view));
            LOG.info("pod {} is taken over from the former agent", view.name());
        } catch (IOException e) {
            LOG.warn("pod {} cannot be verified, ztunnel may keep it: {}", view.name(), e.toString());
        }
        return pod;
    }

    /// Where a ztunnel is connected it listens first, so that no connection of a running pod fails in
    /// between; where none is, or it refuses, the rules are applied all the same: the pod is closed until
    /// somebody serves it.
    ///
    /// The kubelet's probes pass before the pod is captured, so that none is refused in between.
    ///
    /// A pod in which nothing runs yet is fenced meanwhile. The fence stays if something fails.
    void enrol(EnrolledPod pod) throws IOException {
        if (pod.step == Step.ENABLED && !pod.moved()) {
            restore(pod);
            return;
        }
        var netns = open(pod);
        if (status.read(pod.view).isEmpty()) { // not one that we have touched
            var foreign = rules.foreign(netns);
            if (foreign.isPresent()) {
                pods.remove(pod.view.uid());
                notes.leaveAlone(pod.view, foreign.get());
                rules.letGo(netns);
                netns.close();
                return;
            }
        }
        if (pod.fenced) {
            apply(pod, netns);
        }
        publishServed();
        var refusal = add(pod);
        var unprobed = publishProbed();
        if (!pod.fenced) {
            apply(pod, netns);
        }
        if (refusal.isPresent()) {
            writePending(pod);
            throw refusal.get();
        }
        if (pod.fenced) {
            rules.lift(netns);
            pod.fenced = false;
            pod.generation = rules.generation(netns);
        }
        if (unprobed.isPresent()) {
            throw unprobed.get();
        }
        status.write(pod.view, State.ENABLED); // last: peers switch to HBONE when they see it
        pod.succeeded(Step.ENABLED);
        LOG.info("pod {} is captured", pod.view.name());
    }

    /// The pod's namespace. One that it had before is let go.
    private NetworkNamespace open(EnrolledPod pod) throws IOException {
        var former = pod.netns;
        var netns = pod.openNetns(means.finder());
        if (former != null && !former.id().equals(netns.id())) {
            rules.letGo(former);
        }
        return netns;
    }

    private void apply(EnrolledPod pod, NetworkNamespace netns) throws IOException {
        var capture = capture(pod.view);
        if (pod.fenced) {
            rules.enrolFenced(netns, capture);
        } else {
            rules.enrol(netns, capture);
        }
        pod.applied = capture;
        pod.generation = rules.generation(netns);
    }

    private Capture capture(PodView view) throws IOException {
        return selection.capture(view).with(means.probes().inPod(view));
    }

    /// Puts our rules back after somebody has changed any, for that may have been ours, or after what
    /// they say has changed.
    private void restore(EnrolledPod pod) throws IOException {
        var netns = pod.netns;
        if (netns == null) {
            return;
        }
        var altered = rules.generation(netns) != pod.generation;
        if (!altered && capture(pod.view).equals(pod.applied)) {
            return;
        }
        apply(pod, netns);
        pod.succeeded(Step.ENABLED);
        if (altered && !pod.alteredSaid) {
            pod.alteredSaid = true;
            LOG.warn("somebody has changed the nftables rules of pod {}; ours are in force again", pod.view.name());
        }
    }

    /// A pod that a former agent had captured stays enabled while no ztunnel is connected: if peers were told
    /// otherwise they would talk to it in clear.
    private void writePending(EnrolledPod pod) throws IOException {
        if (!status.read(pod.view).equals(Optional.of(State.ENABLED))) {
            status.write(pod.view, State.PENDING);
        }
    }

    private Optional<IOException> add(EnrolledPod pod) throws InterruptedIOException {
        try {
            zds().add(pod.served());
            return Optional.empty();
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            return Optional.of(e);
        }
    }

    /// Rules and listeners stay until the last captured connection has ended; only then ztunnel is told.
    /// @param most how long they are waited for
    void release(EnrolledPod pod, Duration most) throws IOException {
        var netns = pod.netns;
        if (netns == null) {
            netns = open(pod);
        }
        if (pod.step != Step.RELEASING) {
            rules.stopCapturing(netns);
            status.remove(pod.view);
            pod.releaseUntil(most);
            pod.succeeded(Step.RELEASING);
            LOG.info("pod {} is being released", pod.view.name());
        }
        var left = CapturedConnections.count(netns, pod.ips());
        if (left > 0 && !pod.releaseOver()) {
            pod.waitFor(timing.releaseCheck());
            return;
        }
        if (left > 0) {
            LOG.warn("pod {}: {} captured connections are cut, after {}", pod.view.name(), left, most);
        }
        pods.remove(pod.view.uid());
        publishServed();
        zds().delete(pod.view.uid());
        rules.remove(netns);
        netns.close();
        LOG.info("pod {} is released", pod.view.name());
    }

    /// A pod that is gone or has finished: its rules went, or will go, with its namespace, which is not
    /// entered again.
    void gone(String uid) throws InterruptedIOException {
        var pod = pods.remove(uid);
        publishServed();
        zds().delete(uid);
        try {
            if (pod != null && pod.netns != null) {
                rules.letGo(pod.netns);
                pod.netns.close();
            }
            status.gone(uid);
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            LOG.warn("pod {} has gone, but: {}", uid, e.toString());
        }
        LOG.info("pod {} has gone", pod == null ? uid : pod.view.name());
    }

    private ZdsServer zds() {
        var server = zds;
        if (server == null) {
            throw new IllegalStateException("not started");
        }
        return server;
    }

    /// Tells the node's rules which pods are captured.
    /// @return why it did not work
    Optional<IOException> publishProbed() throws InterruptedIOException {
        try {
            means.probes()
                    .pods(pods.values().stream()
                            .map(pod -> new Probes.Target(
                                    Set.copyOf(pod.ips()), pod.view.declared().probePorts()))
                            .collect(Collectors.toSet()));
            return Optional.empty();
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            return Optional.of(e);
        }
    }

    void publishServed() {
        served = pods.values().stream().map(EnrolledPod::served).toList();
    }

    /// Lets go of all pods, which stay as they are.
    @Override
    public void close() {
        rules.close();
    }
}
