package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.zds.ServedPod;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.protos.zds.WorkloadInfo;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One pod that we have touched. Confined to the reconciler's thread.
final class EnrolledPod {
    private static final Logger LOG = LoggerFactory.getLogger(EnrolledPod.class);

    PodView view;

    @Nullable
    NetworkNamespace netns;

    /// What the container runtime said, if we heard it.
    @Nullable
    Sandbox sandbox;

    /// Whether nothing runs in it yet: it is kept from the network until ztunnel serves it.
    boolean fenced;

    Step step = Step.NEW;
    /// Of the rules when we last applied ours.
    int generation;
    /// What they captured.
    @Nullable
    Capture applied;
    /// Whether somebody else's change of its rules has been said.
    boolean alteredSaid;
    private String heldBecause = "";
    private int failures;
    private long notBeforeNanos;
    private long releaseEndsNanos;

    /// How far the capture is.
    enum Step {
        /// Nothing is certain: a new pod, or one that a former agent left.
        NEW,
        /// Captured and acknowledged by ztunnel.
        ENABLED,
        /// Nothing new is captured; captured connections are waited for.
        RELEASING
    }

    EnrolledPod(PodView view) {
        this.view = view;
        this.notBeforeNanos = System.nanoTime();
    }

    /// The runtime starts it, in `started`; again, if it has made a new sandbox.
    void starts(Sandbox started) {
        sandbox = started;
        fenced = step == Step.NEW || moved();
    }

    /// Whether this is the sandbox that the runtime speaks of.
    boolean isIn(Sandbox other) {
        var known = sandbox;
        if (known != null) {
            return known.attachment().equals(other.attachment());
        }
        return view.netns().isPresent() ? view.netns().equals(Optional.of(other.netns())) : holds(other.netns());
    }

    private boolean holds(Path path) {
        var held = netns;
        if (held == null) {
            return false;
        }
        try (var there = NetworkNamespace.open(path)) {
            return there.id().equals(held.id());
        } catch (IOException e) {
            return false; // gone already; the pod's end will be told
        }
    }

    private Optional<Path> path() {
        var known = sandbox;
        return known != null ? Optional.of(known.netns()) : view.netns();
    }

    List<InetAddress> ips() {
        var known = sandbox;
        return known != null && view.ips().isEmpty() ? known.ips() : view.ips();
    }

    /// Opens the namespace, or opens it anew if the pod's sandbox has been made again.
    NetworkNamespace openNetns(NetnsFinder finder) throws IOException {
        var held = netns;
        var path = path();
        if (path.isEmpty()) { // a new sandbox comes by the runtime
            var found = held == null ? finder.find(view) : held;
            netns = found;
            return found;
        }
        var opened = NetworkNamespace.open(path.get());
        if (held != null && held.id().equals(opened.id())) {
            opened.close();
            return held;
        }
        if (held != null) {
            held.close();
            step = Step.NEW;
        }
        netns = opened;
        return opened;
    }

    /// Whether the namespace at the pod's path is another one than that which we hold.
    boolean moved() {
        var path = path();
        return netns != null && path.isPresent() && Files.exists(path.get()) && !holds(path.get());
    }

    ServedPod served() {
        var info = WorkloadInfo.newBuilder()
                .setName(view.name().name())
                .setNamespace(view.name().namespace())
                .setServiceAccount(view.serviceAccount())
                .build();
        return new ServedPod(view.uid(), info, Optional.ofNullable(netns));
    }

    /// Says once why it stays captured though nothing asks for it.
    void held(String why) {
        if (!why.equals(heldBecause)) {
            heldBecause = why;
            LOG.warn("pod {} stays captured, since nobody knows whether it may be released: {}", view.name(), why);
        }
    }

    void failed(Timing timing) {
        failures++;
        waitFor(timing.retry(failures));
    }

    /// Whether the last try failed, and another is due.
    boolean failing() {
        return failures > 0;
    }

    void succeeded(Step reached) {
        step = reached;
        failures = 0;
        retryNow();
    }

    void retryNow() {
        notBeforeNanos = System.nanoTime();
    }

    void waitFor(Duration pause) {
        notBeforeNanos = System.nanoTime() + pause.toNanos();
    }

    boolean due() {
        return notBeforeNanos - System.nanoTime() <= 0;
    }

    Duration untilDue() {
        return Duration.ofNanos(Math.max(0, notBeforeNanos - System.nanoTime()));
    }

    void releaseUntil(Duration most) {
        releaseEndsNanos = System.nanoTime() + most.toNanos();
    }

    boolean releaseOver() {
        return releaseEndsNanos - System.nanoTime() <= 0;
    }
}
