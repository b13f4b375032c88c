package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Workload;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Supplier;

/// What was made of each pod last time, so that a change of one pod costs that of one. What a pod amounts to follows
/// from the pod and from what is no pod, never from other pods: it is made anew for a pod that is another object now,
/// and for all pods once anything else is another object. For one caller at a time.
public final class KnownPods {
    private static final TranslationSettings NONE = TranslationSettings.defaults();

    private TranslationSettings settings = NONE;
    private List<KubeObject> others = List.of();
    private IdentityHashMap<Pod, Made> before = new IdentityHashMap<>();
    private IdentityHashMap<Pod, Made> now = new IdentityHashMap<>();

    /// @param ungated without the policies of [WaypointOnly]
    /// @param gates the keys of these
    private record Made(Waypoints.Binding binding, Workload ungated, List<String> gates, Address address) {}

    /// Before the pods of these objects. What nobody asks for until the next time is forgotten.
    void begin(ObjectSet objects, TranslationSettings with) {
        var surroundings = objects.objects().values().stream()
                .filter(object -> !(object instanceof Pod))
                .toList();
        before = with.equals(settings) && isSame(surroundings, others) ? now : new IdentityHashMap<>();
        now = new IdentityHashMap<>();
        settings = with;
        others = surroundings;
    }

    @SuppressWarnings("ReferenceEquality") // equal ones cost a look at all that they say
    private static boolean isSame(List<KubeObject> some, List<KubeObject> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (var i = 0; i < some.size(); i++) {
            if (some.get(i) != others.get(i)) {
                return false;
            }
        }
        return true;
    }

    /// The same message as last time if it would be equal.
    ///
    /// @param workload makes what the pod amounts to, without the policies of `only`
    /// @param binding of the pod
    /// @param only is told of the pod in any case
    Address of(Pod pod, Supplier<Workload> workload, Supplier<Waypoints.Binding> binding, WaypointOnly only) {
        var known = before.get(pod);
        var own = known == null ? binding.get() : known.binding;
        var ungated = known == null ? workload.get() : known.ungated;
        var gates = only.keys(own, ungated);
        var made = known != null && known.gates.equals(gates)
                ? known
                : new Made(own, ungated, gates, gated(ungated, gates));
        now.put(pod, made);
        return made.address;
    }

    static Address gated(Workload ungated, List<String> gates) {
        var workload = gates.isEmpty()
                ? ungated
                : ungated.toBuilder().addAllAuthorizationPolicies(gates).build();
        return Address.newBuilder().setWorkload(workload).build();
    }
}
