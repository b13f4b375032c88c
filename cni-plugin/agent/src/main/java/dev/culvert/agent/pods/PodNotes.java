package dev.culvert.agent.pods;

import dev.culvert.kube.object.Exclusions;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells a pod's author what is not as the labels let one think: why it is not captured, what passes by
/// the mesh, what has no effect. Each thing once. Confined to the reconciler's thread.
final class PodNotes {
    private static final Logger LOG = LoggerFactory.getLogger(PodNotes.class);

    private final Selection selection;
    private final RedirectionStatus status;
    private final Map<String, PodView> seen = new HashMap<>();
    /// Pods that are left alone for what was found inside, and why.
    private final Map<String, String> leftAlone = new HashMap<>();

    PodNotes(Selection selection, RedirectionStatus status) {
        this.selection = selection;
        this.status = status;
    }

    /// It is not captured, for `why`, until its sandbox is made anew.
    void leaveAlone(PodView pod, String why) {
        leftAlone.put(pod.uid(), why);
        seen.remove(pod.uid());
    }

    boolean isLeftAlone(PodView pod) {
        return leftAlone.containsKey(pod.uid());
    }

    void startsAnew(PodView pod) {
        leftAlone.remove(pod.uid());
        seen.remove(pod.uid());
    }

    void retain(Set<String> uids) {
        seen.keySet().retainAll(uids);
        leftAlone.keySet().retainAll(uids);
    }

    /// Says what is new. A failure is said and not tried again before something changes.
    void tell(PodView pod) throws InterruptedIOException {
        if (pod.equals(seen.put(pod.uid(), pod))) {
            return;
        }
        var notes = notes(pod);
        try {
            if (status.note(pod, String.join("; ", notes)) && !notes.isEmpty()) {
                LOG.warn("pod {}: {}", pod.name(), String.join("; ", notes));
            }
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            LOG.warn("pod {} cannot be told \"{}\": {}", pod.name(), String.join("; ", notes), e.toString());
        }
    }

    private List<String> notes(PodView pod) {
        var left = leftAlone.get(pod.uid());
        if (left != null) {
            return List.of("not captured: " + left);
        }
        var obstacle = selection.obstacle(pod);
        if (obstacle.isPresent()) {
            return List.of("not captured: " + obstacle.get());
        }
        if (!(selection.wish(pod) instanceof Wish.Captured)) {
            return List.of();
        }
        var exclusions = Exclusions.of(pod.annotations());
        var notes = new ArrayList<String>();
        exclusions.openings().forEach(opening -> notes.add("outside the mesh: " + opening));
        pod.declared()
                .foreignProbes()
                .forEach(probe -> notes.add("a hole: the kubelet probes " + probe + ", which is not this pod"));
        notes.addAll(exclusions.problems());
        return notes;
    }
}
