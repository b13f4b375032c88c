package dev.culvert.agent.pods;

import dev.culvert.agent.pods.EnrolledPod.Step;
import dev.culvert.agent.pods.RedirectionStatus.State;
import dev.culvert.agent.zds.ServedPod;
import dev.culvert.agent.zds.ZdsServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes what is captured equal to what the pods' labels ask for, again and again, on one platform thread (it
/// enters namespaces). `pods` and `retryNow` may be called by any thread.
///
/// A captured pod is let go only when it is gone or when it was read that it is no longer enrolled
/// (`Wish.Released`), never because something could not be read.
public final class PodReconciler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PodReconciler.class);
    private static final Duration IDLE = Duration.ofSeconds(30);

    private final Selection selection;
    private final NamespaceRules rules;
    private final RedirectionStatus status;
    private final Timing timing;
    private final Map<String, EnrolledPod> enrolled = new HashMap<>();
    private final Thread thread =
            Thread.ofPlatform().name("agent-pods").daemon().unstarted(this::run);
    private @Nullable ZdsServer zds;

    // Guarded by this.
    private List<PodView> newest = List.of();
    private boolean told;
    private boolean woken;
    private boolean closed;

    /// What ztunnel is told on connecting; replaced as a whole.
    private volatile List<ServedPod> served = List.of();

    public PodReconciler(Selection selection, NamespaceRules rules, RedirectionStatus status, Timing timing) {
        this.selection = selection;
        this.rules = rules;
        this.status = status;
        this.timing = timing;
    }

    /// Takes over the pods that a former agent captured, so that the first snapshot for ztunnel has them, and
    /// re-makes their rules in one step each, without a gap. Call once, before `start`.
    /// @param pods all of the node
    public void adopt(List<PodView> pods) throws IOException {
        for (var pod : pods) {
            if (!pod.finished() && status.read(pod.uid()).isPresent()) {
                adopt(pod);
            }
        }
        publishServed();
        synchronized (this) {
            if (!told) {
                pods(pods);
            }
        }
    }

    private EnrolledPod adopt(PodView view) {
        var pod = new EnrolledPod(view);
        enrolled.put(view.uid(), pod);
        try {
            rules.enrol(pod.openNetns(), selection.capture(view));
            LOG.info("pod {} is taken over from the former agent", view.name());
        } catch (IOException e) {
            LOG.warn("pod {} cannot be verified, ztunnel may keep it: {}", view.name(), e.toString());
        }
        return pod;
    }

    /// Begins to reconcile, and to tell `server`.
    public void start(ZdsServer server) {
        zds = server;
        thread.start();
    }

    /// The pods that ztunnel is to serve.
    public List<ServedPod> served() {
        return served;
    }

    /// All pods of the node, as they are now.
    public synchronized void pods(List<PodView> pods) {
        newest = List.copyOf(pods);
        told = true;
        notifyAll();
    }

    /// A ztunnel has connected: what waited for one is tried at once.
    public synchronized void retryNow() {
        woken = true;
        notifyAll();
    }

    private void run() {
        try {
            while (true) {
                awaitWork();
                reconcile();
            }
        } catch (InterruptedException | InterruptedIOException e) {
            LOG.debug("reconciler ends");
        }
    }

    @SuppressWarnings("WaitNotInLoop") // waking for nothing only reconciles once more
    private synchronized void awaitWork() throws InterruptedException {
        var pause = nextPause();
        if (!told && !woken && pause.isPositive() && !closed) {
            wait(Math.max(1, pause.toMillis()));
        }
        if (closed) {
            throw new InterruptedException();
        }
        if (woken) {
            enrolled.values().forEach(EnrolledPod::retryNow);
        }
        told = false;
        woken = false;
    }

    private Duration nextPause() {
        return enrolled.values().stream()
                .filter(pod -> !settled(pod))
                .map(EnrolledPod::untilDue)
                .min(Duration::compareTo)
                .orElse(IDLE);
    }

    private static boolean settled(EnrolledPod pod) {
        return pod.step == Step.ENABLED;
    }

    private synchronized List<PodView> current() {
        return newest;
    }

    private void reconcile() throws InterruptedIOException {
        var pods = current().stream()
                .filter(pod -> !pod.finished())
                .collect(Collectors.toMap(PodView::uid, Function.identity(), (first, _) -> first));
        for (var uid : new HashSet<>(enrolled.keySet())) {
            if (!pods.containsKey(uid)) {
                forgetGone(uid);
            }
        }
        for (var view : pods.values()) {
            reconcile(view);
        }
    }

    private void reconcile(PodView view) throws InterruptedIOException {
        var wish = selection.wish(view);
        var known = enrolled.get(view.uid());
        try {
            var pod = known == null ? begin(view, wish) : Optional.of(known);
            if (pod.isPresent()) {
                pod.get().view = view;
                reconcile(pod.get(), wish);
            }
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            LOG.warn("pod {} waits: {}", view.name(), e.toString());
            Optional.ofNullable(enrolled.get(view.uid())).ifPresent(pod -> pod.failed(timing));
        }
    }

    /// A pod that we have not touched so far; empty if there is no reason to.
    private Optional<EnrolledPod> begin(PodView view, Wish wish) throws IOException {
        if (status.read(view.uid()).isPresent()) { // its object could not be read when we started
            return Optional.of(adopt(view));
        }
        if (!(wish instanceof Wish.Captured) || view.ips().isEmpty()) {
            return Optional.empty();
        }
        var pod = new EnrolledPod(view);
        enrolled.put(view.uid(), pod);
        return Optional.of(pod);
    }

    private void reconcile(EnrolledPod pod, Wish wish) throws IOException {
        if (!pod.due()) {
            return;
        }
        switch (wish) {
            case Wish.Captured() -> enrol(pod);
            case Wish.Released() -> release(pod);
            case Wish.Unknown(var why) -> {
                if (pod.step == Step.RELEASING) {
                    release(pod); // that was read
                } else {
                    pod.held(why);
                    enrol(pod);
                }
            }
        }
    }

    /// Where a ztunnel is connected it listens first, so that no connection of a running pod fails in
    /// between; where none is, or it refuses, the rules are applied all the same: the pod is closed until
    /// somebody serves it.
    private void enrol(EnrolledPod pod) throws IOException {
        if (pod.step == Step.ENABLED && !pod.moved()) {
            return;
        }
        var netns = pod.openNetns();
        publishServed();
        var refusal = tell(pod);
        rules.enrol(netns, selection.capture(pod.view));
        if (refusal.isPresent()) {
            writePending(pod);
            throw refusal.get();
        }
        status.write(pod.view.uid(), State.ENABLED); // last: peers switch to HBONE when they see it
        pod.succeeded(Step.ENABLED);
        LOG.info("pod {} is captured", pod.view.name());
    }

    /// A pod that a former agent had captured stays enabled while no ztunnel is connected: if peers were told
    /// otherwise they would talk to it in clear.
    private void writePending(EnrolledPod pod) throws IOException {
        if (!status.read(pod.view.uid()).equals(Optional.of(State.ENABLED))) {
            status.write(pod.view.uid(), State.PENDING);
        }
    }

    private Optional<IOException> tell(EnrolledPod pod) throws InterruptedIOException {
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
    private void release(EnrolledPod pod) throws IOException {
        var netns = pod.netns;
        if (netns == null) {
            netns = pod.openNetns();
        }
        if (pod.step != Step.RELEASING) {
            rules.stopCapturing(netns);
            status.remove(pod.view.uid());
            pod.releaseUntil(timing.releaseMost());
            pod.succeeded(Step.RELEASING);
            LOG.info("pod {} is being released", pod.view.name());
        }
        var left = CapturedConnections.count(netns, pod.view.ips());
        if (left > 0 && !pod.releaseOver()) {
            pod.waitFor(timing.releaseCheck());
            return;
        }
        if (left > 0) {
            LOG.warn("pod {}: {} captured connections are cut, after {}", pod.view.name(), left, timing.releaseMost());
        }
        enrolled.remove(pod.view.uid());
        publishServed();
        zds().delete(pod.view.uid());
        rules.remove(netns);
        netns.close();
        LOG.info("pod {} is released", pod.view.name());
    }

    /// A pod that is gone or has finished: its rules went, or will go, with its namespace, which is not
    /// entered again.
    private void forgetGone(String uid) throws InterruptedIOException {
        var pod = enrolled.remove(uid);
        publishServed();
        zds().delete(uid);
        try {
            status.remove(uid);
            if (pod != null && pod.netns != null) {
                pod.netns.close();
            }
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

    private void publishServed() {
        served = enrolled.values().stream().map(EnrolledPod::served).toList();
    }

    /// Stops reconciling. What is captured stays captured, for the next agent.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
