package dev.culvert.agent.kube;

import dev.culvert.agent.rules.Kubelet;
import dev.culvert.linux.netns.ControlGroupNamespace;
import dev.culvert.linux.process.KubeletProcess;
import dev.culvert.linux.process.OwnControlGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The kubelet of a node, found by its `/proc`: its own control group (version 2) if it has one, else
/// its user. While it is not there, what was found last holds. Confined to one thread at a time, which
/// it moves into the node's control group namespace.
public final class NodeKubelet implements KubeletFinder {
    private static final Logger LOG = LoggerFactory.getLogger(NodeKubelet.class);
    private static final long ROOT = 0;

    private final Path proc;
    private final Path cgroups;
    private @Nullable Thread inside;
    private @Nullable KubeletProcess process;
    private String started = "";
    private @Nullable Kubelet last;
    private String said = "";

    /// @param proc the node's
    /// @param cgroups the node's `/sys/fs/cgroup`
    public NodeKubelet(Path proc, Path cgroups) {
        this.proc = proc;
        this.cgroups = cgroups;
    }

    @Override
    public Kubelet find() throws IOException {
        if (!Thread.currentThread().equals(inside)) {
            enter();
        }
        var known = process;
        if (known == null || !started.equals(known.started().orElse(""))) {
            process = KubeletProcess.find(proc).orElse(null);
            started = process == null ? "" : process.started().orElse("");
        }
        var found = process == null ? Optional.<Kubelet>empty() : kubelet(process);
        if (found.isPresent()) {
            last = found.get();
        }
        var kubelet = last == null ? new Kubelet.OfUser(ROOT) : last;
        say(kubelet);
        return kubelet;
    }

    /// Without it a group's path and level may be wrong, and then match nobody: probes go through the proxy.
    private void enter() {
        inside = Thread.currentThread();
        try {
            ControlGroupNamespace.enter(proc.resolve("1/ns/cgroup"));
        } catch (IOException e) {
            LOG.warn("control groups are seen from the agent's own: {}", e.toString());
        }
    }

    private void say(Kubelet kubelet) {
        var text = kubelet.toString();
        if (text.equals(said)) {
            return;
        }
        said = text;
        switch (kubelet) {
            case Kubelet.InControlGroup group -> LOG.info("the kubelet is known by {}", group.folder());
            case Kubelet.OfUser(var user) ->
                LOG.warn(
                        "the kubelet is {}known by its user {} only: other processes of this user on the node's network"
                                + " reach declared probe ports too. It needs a control group (version 2) of its own",
                        last == null ? "not found and " : "",
                        user);
        }
    }

    /// @return empty if it has just ended
    private Optional<Kubelet> kubelet(KubeletProcess process) {
        try {
            var group = process.group();
            if (group.isPresent()) {
                var own = folder(group.get());
                if (own.isPresent()) {
                    return own;
                }
            }
            var user = (Number) Files.getAttribute(process.folder(), "unix:uid");
            return Optional.of(new Kubelet.OfUser(user.longValue()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Where both versions are mounted, the second is a folder beside those of the first.
    private Optional<Kubelet> folder(OwnControlGroup group) {
        for (var root : List.of(cgroups, cgroups.resolve("unified"))) {
            var folder = root.resolve(group.path());
            try {
                if (Files.exists(root.resolve("cgroup.controllers")) && Files.exists(folder)) {
                    var inode = ((Number) Files.getAttribute(folder, "unix:ino")).longValue();
                    return Optional.of(new Kubelet.InControlGroup(folder, group.level(), inode));
                }
            } catch (IOException | IllegalArgumentException e) {
                LOG.debug("{} is not used: {}", folder, e.toString());
            }
        }
        return Optional.empty();
    }
}
