package dev.culvert.kube.client;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import java.net.InetAddress;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Gives each address to one pod: the objects of pods outlive their addresses for a moment. Pure.
final class SharedAddresses {
    /// Who is not about to go, then who came last.
    private static final Comparator<Pod> OWNER = Comparator.comparing(
                    (Pod pod) -> pod.metadata().deleted())
            .thenComparing(pod -> pod.metadata().created().orElse(Instant.MIN), Comparator.reverseOrder())
            .thenComparing(Pod::key);

    private SharedAddresses() {}

    /// Takes shared addresses from all but their owners; a pod without addresses stays, and is nobody's endpoint.
    static void take(Map<ObjectKey, KubeObject> objects, List<Problem> problems) {
        var owners = new HashMap<InetAddress, Pod>();
        var losers = new HashSet<Pod>();
        for (var object : objects.values()) {
            if (object instanceof Pod pod && !pod.spec().hostNetwork() && !pod.finished()) {
                for (var address : pod.addresses()) {
                    var other = owners.putIfAbsent(address, pod);
                    if (other != null) {
                        var first = OWNER.compare(other, pod) < 0;
                        owners.put(address, first ? other : pod);
                        losers.add(first ? pod : other);
                        problems.add(problem(first ? pod : other, address, first ? other : pod));
                    }
                }
            }
        }
        losers.forEach(pod -> objects.put(pod.key(), pod.withoutAddresses()));
    }

    private static Problem problem(Pod pod, InetAddress address, Pod owner) {
        return Problem.warning(
                pod.place(),
                pod.key().toString(),
                "has the address " + address.getHostAddress() + " that now belongs to " + owner.key()
                        + ": it is treated as if it had none",
                "look why the pod is still there");
    }
}
