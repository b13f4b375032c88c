package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.ServiceEntry;
import java.util.List;

/// Names hosts of ServiceEntries that their waypoint does not serve.
final class EntryAdvice {
    private EntryAdvice() {}

    /// @param waypoint that the entry is bound to
    static void check(MeshService service, String waypoint, List<Problem> problems) {
        if (!(service.object() instanceof ServiceEntry entry)) {
            return;
        }
        if (service.isOfAnyName()) {
            problems.add(Problem.warning(
                    entry.place(),
                    entry.key().toString(),
                    "host " + service.hostname() + ": waypoint " + waypoint + " looks up no names that it is asked for,"
                            + " and refuses this host",
                    "name each host, or label the entry istio.io/use-waypoint: none"));
        } else if (entry.addresses().isEmpty() && !entry.wantsAddress(service.hostname())) {
            problems.add(Problem.warning(
                    entry.place(),
                    entry.key().toString(),
                    "host " + service.hostname() + " has no address: nobody is sent to waypoint " + waypoint
                            + ", and neither its routes nor its policies hold",
                    "write spec.addresses, or with STATIC or DNS let one be chosen"
                            + " (networking.istio.io/enable-autoallocate-ip)"));
        }
    }
}
