package dev.culvert.istiod.kube;

import dev.culvert.istiod.ambient.HostAddresses;
import dev.culvert.kube.client.ApiResource;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Allocated;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes the addresses that were chosen for hosts of ServiceEntries into `status.addresses`, as Istio does. All
/// revisions choose the same ones, and each writes to its own entries. An entry that has changed since it was read is
/// left until its change arrives.
public final class EntryAddresses implements Leader.Writer<Outcome> {
    private static final String ADDRESSES = "addresses";

    private final KubernetesClient client;

    public EntryAddresses(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public void write(Outcome now) {
        HostAddresses.changes(now.objects())
                .forEach((key, wanted) -> now.objects()
                        .find(ServiceEntry.class, Kind.SERVICE_ENTRY, key.namespace(), key.name())
                        .filter(now.revisions()::owns)
                        .ifPresent(entry -> write(key, entry, wanted)));
    }

    private void write(ObjectKey key, ServiceEntry entry, List<Allocated> wanted) {
        var kind = ApiResource.of(Kind.SERVICE_ENTRY);
        var all = client.genericKubernetesResources(kind.context(kind.versions().getFirst()))
                .inNamespace(key.namespace());
        var current = all.withName(key.name()).get();
        if (current == null
                || !allocated(current).equals(entry.allocated())
                || current.getMetadata().getGeneration() != entry.metadata().generation()) {
            return;
        }
        var status = new LinkedHashMap<>(status(current));
        status.put(ADDRESSES, json(wanted));
        current.setAdditionalProperty("status", status);
        all.resource(current).updateStatus(); // refused if somebody was faster: the version read is in it
    }

    private static Map<String, Object> status(GenericKubernetesResource object) {
        var status = new LinkedHashMap<String, Object>();
        if (object.getAdditionalProperties().get("status") instanceof Map<?, ?> map) {
            map.forEach((name, value) -> status.put(String.valueOf(name), value));
        }
        return status;
    }

    private static List<Allocated> allocated(GenericKubernetesResource object) {
        var all = status(object).get(ADDRESSES) instanceof List<?> list ? list : List.of();
        return all.stream()
                .filter(Map.class::isInstance)
                .map(Map.class::cast)
                .map(one -> new Allocated(
                        Literals.address(String.valueOf(one.get("value"))), String.valueOf(one.get("host"))))
                .toList();
    }

    private static List<Map<String, String>> json(List<Allocated> addresses) {
        return addresses.stream()
                .map(one -> Map.of("value", one.address().getHostAddress(), "host", one.host()))
                .toList();
    }
}
