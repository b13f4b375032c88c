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
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;
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
    private final Means means;
    private final Timing timing;
    private final PodNotes notes;
    private final Map<String, EnrolledPod> enrolled = new HashMap<>();
    private final Thread thread =
            Thread.ofPlatform().name("agent-pods").daemon().unstarted(this::run);
    /// Pods whose sandbox the runtime has ended, and which wait for a new one or for their end.
    private final Set<String> ended = new HashSet<>();
    private @Nullable ZdsServer zds;

    // Guarded by this.
    private List<PodView> newest = List.of();
    private boolean told;
    private boolean woken;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean closed;
    private @Nullable Departure departure;

    /// What ztunnel is told on connecting; replaced as a whole.
    private volatile List<ServedPod> served = List.of();

    public PodReconciler(Selection selection, Means means, Timing timing) {
        this.selection = selection;
        this.means = means;
        this.rules = means.rules();
        this.status = means.status();
        this.timing = timing;
        this.notes = new PodNotes(selection, means.status());
    }

    /// Takes over the pods that a former agent captured, so that the first snapshot for ztunnel has them, and
    /// re-makes their rules in one step each, without a gap. Call once, before `start`.
    /// @param pods all of the node
    public void adopt(List<PodView> pods) throws IOException {
        for (var pod : pods) {
            if (!pod.finished() && status.read(pod).isPresent()) {
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
            rules.enrol(pod.openNetns(means.finder()), capture(view));
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

    /// The pod that a sandbox is for, as soon as its object has been seen.
    /// @return empty if it was not seen within `most`
    public synchronized Optional<PodView> await(Sandbox.Pod pod, Duration most) throws InterruptedException {
        var ends = System.nanoTime() + most.toNanos();
        while (true) {
            var found = newest.stream().filter(view -> pod.is(view)).findFirst();
            var left = Duration.ofNanos(ends - System.nanoTime()).toMillis();
            if (found.isPresent() || left <= 0 || closed) {
                return found;
            }
            wait(left);
        }
    }

    /// The runtime starts a pod. Completes when the pod may run: ztunnel serves it, or it is not in the mesh.
    public CompletableFuture<Void> added(Sandbox sandbox) {
        return submit(() -> add(sandbox));
    }

    /// The runtime asks whether a pod is as [#added] left it. Fails if not.
    public CompletableFuture<Void> checked(Sandbox sandbox) {
        return submit(() -> check(sandbox));
    }

    /// The runtime ends a sandbox. What has been applied inside stays, so that what may still run there
    /// stays closed; it goes with the namespace.
    public CompletableFuture<Void> deleted(Sandbox sandbox) {
        return submit(() -> end(pod -> sandbox.pod().is(pod.view) && pod.isIn(sandbox)));
    }

    /// The runtime names all sandboxes of one of its networks; others that came by it are over.
    public CompletableFuture<Void> collected(String network, Set<Sandbox.Attachment> valid) {
        return submit(() -> end(pod -> pod.sandbox != null
                && pod.sandbox.attachment().network().equals(network)
                && !valid.contains(pod.sandbox.attachment())));
    }

    /// Releases all pods and captures no further ones, because the mesh leaves this node.
    /// @param most how long open connections are waited for
    /// @return completes when no pod is captured any more
    public synchronized CompletableFuture<Void> leave(Duration most) {
        var leaving = new Departure(most, new CompletableFuture<>());
        departure = leaving;
        woken = true;
        notifyAll();
        return leaving.done;
    }

    private record Departure(Duration most, CompletableFuture<Void> done) {}

    private synchronized Optional<Departure> departure() {
        return Optional.ofNullable(departure);
    }

    private Wish wish(PodView view) {
        return departure().isPresent() ? new Wish.Released() : selection.wish(view);
    }

    /// Something that is done on this one's thread.
    private interface Task {
        void run() throws IOException;
    }

    private synchronized CompletableFuture<Void> submit(Task task) {
        var done = new CompletableFuture<Void>();
        tasks.add(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        notifyAll();
        return done;
    }

    private void add(Sandbox sandbox) throws IOException {
        var view = known(sandbox.pod());
        switch (wish(view)) {
            case Wish.Captured() -> {
                ended.remove(view.uid());
                notes.startsAnew(view);
                var pod = enrolled.computeIfAbsent(view.uid(), _ -> new EnrolledPod(view));
                pod.view = view;
                pod.starts(sandbox);
                try {
                    enrol(pod);
                } catch (IOException e) {
                    pod.failed(timing);
                    throw e;
                }
            }
            case Wish.Released() -> LOG.debug("pod {} starts outside the mesh", view.name());
            case Wish.Unknown(var why) -> throw new IOException("nobody knows whether it is in the mesh: " + why);
        }
    }

    private void check(Sandbox sandbox) throws IOException {
        var view = known(sandbox.pod());
        var pod = enrolled.get(view.uid());
        var whole = pod != null && pod.step == Step.ENABLED && pod.isIn(sandbox) && !pod.moved();
        if (selection.wish(view) instanceof Wish.Captured && !whole) {
            throw new IOException("it is in the mesh but not captured in this sandbox");
        }
    }

    private void end(Predicate<EnrolledPod> which) throws InterruptedIOException {
        for (var pod : enrolled.values().stream().filter(which).toList()) {
            ended.add(pod.view.uid());
            forgetGone(pod.view.uid());
        }
    }

    private PodView known(Sandbox.Pod pod) throws IOException {
        return current().stream()
                .filter(view -> pod.is(view))
                .findFirst()
                .orElseThrow(() -> new IOException("no such pod on this node is known yet"));
    }

    private void run() {
        try {
            while (true) {
                for (var task : awaitWork()) {
                    task.run();
                }
                reconcile();
                if (enrolled.isEmpty()) {
                    departure().ifPresent(leaving -> leaving.done.complete(null));
                }
            }
        } catch (InterruptedException | InterruptedIOException e) {
            LOG.debug("reconciler ends");
        }
    }

    @SuppressWarnings("WaitNotInLoop") // waking for nothing only reconciles once more
    private synchronized List<Runnable> awaitWork() throws InterruptedException {
        var pause = nextPause();
        if (!told && !woken && tasks.isEmpty() && pause.isPositive() && !closed) {
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
        var work = List.copyOf(tasks);
        tasks.clear();
        return work;
    }

    private Duration nextPause() {
        return enrolled.values().stream()
                .map(pod -> settled(pod) ? timing.rulesCheck() : pod.untilDue())
                .min(Duration::compareTo)
                .orElse(IDLE);
    }

    private static boolean settled(EnrolledPod pod) {
        return pod.step == Step.ENABLED && !pod.failing();
    }

    private synchronized List<PodView> current() {
        return newest;
    }

    private void reconcile() throws InterruptedIOException {
        var pods = current().stream()
                .filter(pod -> !pod.finished())
                .collect(Collectors.toMap(PodView::uid, Function.identity(), (first, _) -> first));
        ended.retainAll(pods.keySet());
        notes.retain(pods.keySet());
        for (var uid : new HashSet<>(enrolled.keySet())) {
            if (!pods.containsKey(uid)) {
                forgetGone(uid);
            }
        }
        for (var view : pods.values()) {
            reconcile(view);
            notes.tell(view);
        }
        publishProbed().ifPresent(e -> LOG.warn("the kubelet's probes may be refused: {}", e.toString()));
    }

    private void reconcile(PodView view) throws InterruptedIOException {
        var wish = wish(view);
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
        } catch (RuntimeException e) { // a mistake of ours about one pod must not keep the others out of the mesh
            LOG.error("pod {} waits", view.name(), e);
            Optional.ofNullable(enrolled.get(view.uid())).ifPresent(pod -> pod.failed(timing));
        }
    }

    /// A pod that we have not touched so far; empty if there is no reason to.
    private Optional<EnrolledPod> begin(PodView view, Wish wish) throws IOException {
        if (ended.contains(view.uid()) || notes.isLeftAlone(view)) {
            return Optional.empty();
        }
        if (status.read(view).isPresent()) { // its object could not be read when we started
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
    ///
    /// The kubelet's probes pass before the pod is captured, so that none is refused in between.
    ///
    /// A pod in which nothing runs yet is fenced meanwhile. The fence stays if something fails.
    private void enrol(EnrolledPod pod) throws IOException {
        if (pod.step == Step.ENABLED && !pod.moved()) {
            restore(pod);
            return;
        }
        var netns = pod.openNetns(means.finder());
        if (status.read(pod.view).isEmpty()) { // not one that we have touched
            var foreign = rules.foreign(netns);
            if (foreign.isPresent()) {
                enrolled.remove(pod.view.uid());
                notes.leaveAlone(pod.view, foreign.get());
                netns.close();
                return;
            }
        }
        if (pod.fenced) {
            rules.fence(netns);
            apply(pod, netns);
        }
        publishServed();
        var refusal = tell(pod);
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

    private void apply(EnrolledPod pod, NetworkNamespace netns) throws IOException {
        var capture = capture(pod.view);
        rules.enrol(netns, capture);
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
            netns = pod.openNetns(means.finder());
        }
        if (pod.step != Step.RELEASING) {
            rules.stopCapturing(netns);
            status.remove(pod.view);
            pod.releaseUntil(departure().map(Departure::most).orElse(timing.releaseMost()));
            pod.succeeded(Step.RELEASING);
            LOG.info("pod {} is being released", pod.view.name());
        }
        var left = CapturedConnections.count(netns, pod.ips());
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
            status.gone(uid);
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

    /// @return why it did not work
    private Optional<IOException> publishProbed() throws InterruptedIOException {
        try {
            means.probes()
                    .pods(enrolled.values().stream()
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
