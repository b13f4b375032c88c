package dev.culvert.agent.pods;

import dev.culvert.agent.pods.EnrolledPod.Step;
import dev.culvert.agent.zds.ServedPod;
import dev.culvert.agent.zds.ZdsServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
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
    private final RedirectionStatus status;
    private final Timing timing;
    private final PodNotes notes;
    private final Enrolments enrolments;
    private final Thread thread =
            Thread.ofPlatform().name("agent-pods").daemon().unstarted(this::run);
    /// Pods whose sandbox the runtime has ended, and which wait for a new one or for their end.
    private final Set<String> ended = new HashSet<>();

    // Guarded by this.
    private List<PodView> newest = List.of();
    private boolean told;
    private boolean woken;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean closed;
    private @Nullable Departure departure;

    public PodReconciler(Selection selection, Means means, Timing timing) {
        this.selection = selection;
        this.status = means.status();
        this.timing = timing;
        this.notes = new PodNotes(selection, means.status());
        this.enrolments = new Enrolments(selection, means, timing, notes);
    }

    /// Takes over the pods that a former agent captured, so that the first snapshot for ztunnel has them, and
    /// re-makes their rules in one step each, without a gap. Call once, before `start`.
    /// @param pods all of the node
    public void adopt(List<PodView> pods) throws IOException {
        for (var pod : pods) {
            if (!pod.finished() && status.read(pod).isPresent()) {
                enrolments.adopt(pod);
            }
        }
        enrolments.publishServed();
        synchronized (this) {
            if (!told) {
                pods(pods);
            }
        }
    }

    /// Begins to reconcile, and to tell `server`.
    public void start(ZdsServer server) {
        enrolments.tell(server);
        thread.start();
    }

    /// The pods that ztunnel is to serve.
    public List<ServedPod> served() {
        return enrolments.served();
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
            if (done.isCancelled()) {
                return;
            }
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
                var pod = enrolments.begin(view);
                pod.view = view;
                pod.starts(sandbox);
                try {
                    enrolments.enrol(pod);
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
        var whole = enrolments
                .find(view.uid())
                .filter(pod -> pod.step == Step.ENABLED && pod.isIn(sandbox) && !pod.moved())
                .isPresent();
        if (selection.wish(view) instanceof Wish.Captured && !whole) {
            throw new IOException("it is in the mesh but not captured in this sandbox");
        }
    }

    private void end(Predicate<EnrolledPod> which) throws InterruptedIOException {
        for (var pod : enrolments.all().stream().filter(which).toList()) {
            ended.add(pod.view.uid());
            enrolments.gone(pod.view.uid());
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
                if (enrolments.all().isEmpty()) {
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
            enrolments.all().forEach(EnrolledPod::retryNow);
        }
        told = false;
        woken = false;
        var work = List.copyOf(tasks);
        tasks.clear();
        return work;
    }

    private Duration nextPause() {
        return enrolments.all().stream()
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
        for (var pod : enrolments.all()) {
            if (!pods.containsKey(pod.view.uid())) {
                enrolments.gone(pod.view.uid());
            }
        }
        for (var view : pods.values()) {
            reconcile(view);
            notes.tell(view);
        }
        enrolments.publishProbed().ifPresent(e -> LOG.warn("the kubelet's probes may be refused: {}", e.toString()));
    }

    private void reconcile(PodView view) throws InterruptedIOException {
        var wish = wish(view);
        try {
            var known = enrolments.find(view.uid());
            var pod = known.isPresent() ? known : begin(view, wish);
            if (pod.isPresent()) {
                pod.get().view = view;
                reconcile(pod.get(), wish);
            }
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            LOG.warn("pod {} waits: {}", view.name(), e.toString());
            enrolments.find(view.uid()).ifPresent(pod -> pod.failed(timing));
        } catch (RuntimeException e) { // a mistake of ours about one pod must not keep the others out of the mesh
            LOG.error("pod {} waits", view.name(), e);
            enrolments.find(view.uid()).ifPresent(pod -> pod.failed(timing));
        }
    }

    /// A pod that we have not touched so far; empty if there is no reason to.
    private Optional<EnrolledPod> begin(PodView view, Wish wish) throws IOException {
        if (ended.contains(view.uid()) || notes.isLeftAlone(view)) {
            return Optional.empty();
        }
        if (status.read(view).isPresent()) { // its object could not be read when we started
            return Optional.of(enrolments.adopt(view));
        }
        if (!(wish instanceof Wish.Captured) || view.ips().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(enrolments.begin(view));
    }

    private void reconcile(EnrolledPod pod, Wish wish) throws IOException {
        if (!pod.due()) {
            return;
        }
        switch (wish) {
            case Wish.Captured() -> enrolments.enrol(pod);
            case Wish.Released() -> release(pod);
            case Wish.Unknown(var why) -> {
                if (pod.step == Step.RELEASING) {
                    release(pod); // that was read
                } else {
                    pod.held(why);
                    enrolments.enrol(pod);
                }
            }
        }
    }

    private void release(EnrolledPod pod) throws IOException {
        enrolments.release(pod, departure().map(Departure::most).orElse(timing.releaseMost()));
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
            enrolments.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
