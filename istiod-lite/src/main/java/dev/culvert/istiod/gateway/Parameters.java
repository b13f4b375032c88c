package dev.culvert.istiod.gateway;

import dev.culvert.istiod.kube.Present;
import dev.culvert.kube.object.Gateway;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The ConfigMaps that change what runs for Gateways: the controller's defaults for a class, and the one that a Gateway
/// names. Of others none is read. Confined to the leader's thread, but for [#close].
final class Parameters implements AutoCloseable {
    private static final String CLASS_LABEL = "gateway.istio.io/defaults-for-class";

    private final KubernetesClient client;
    private final Runnable changed;
    private final Present<ConfigMap> defaults;
    private final Map<Name, Present<ConfigMap>> named = new HashMap<>();

    private record Name(String namespace, String name) {}

    /// @param namespace the controller's
    Parameters(KubernetesClient client, String namespace, Runnable changed) {
        this.client = client;
        this.changed = changed;
        this.defaults = new Present<>(
                "defaults of Gateways' classes",
                client.configMaps().inNamespace(namespace).withLabel(CLASS_LABEL),
                changed);
    }

    void start() {
        defaults.start();
    }

    /// Those of its class, the oldest first, then its own.
    /// @throws IllegalArgumentException if one is wrong or not there
    /// @throws IllegalStateException while they have not been read
    List<Overlay> of(Gateway gateway) {
        defaults.requireListed();
        var other = gateway.infrastructure().otherParameters();
        if (!other.isEmpty()) {
            throw new IllegalArgumentException("spec.infrastructure.parametersRef names " + other
                    + ": parameters are in a ConfigMap, write group: \"\" and kind: ConfigMap");
        }
        var overlays = new ArrayList<Overlay>();
        defaults.all().stream()
                .filter(map ->
                        gateway.className().equals(map.getMetadata().getLabels().get(CLASS_LABEL)))
                .sorted(Comparator.comparing(
                                (ConfigMap map) -> map.getMetadata().getCreationTimestamp())
                        .thenComparing(map -> map.getMetadata().getName()))
                .map(Overlay::of)
                .forEach(overlays::add);
        gateway.infrastructure()
                .parameters()
                .map(name -> Overlay.of(find(new Name(gateway.namespace(), name))))
                .ifPresent(overlays::add);
        return overlays;
    }

    private ConfigMap find(Name name) {
        var present = follow(name);
        present.requireListed();
        return present.find(name.namespace, name.name)
                .orElseThrow(() -> new IllegalArgumentException("there is no ConfigMap " + name.namespace + "/"
                        + name.name + ", which spec.infrastructure.parametersRef names"));
    }

    private synchronized Present<ConfigMap> follow(Name name) {
        return named.computeIfAbsent(name, _ -> {
            var present = new Present<ConfigMap>(
                    "ConfigMap " + name.namespace + "/" + name.name,
                    client.configMaps().inNamespace(name.namespace).withName(name.name),
                    changed);
            present.start();
            return present;
        });
    }

    /// Those that none of these names are followed no longer.
    synchronized void retain(Collection<Gateway> gateways) {
        named.entrySet().removeIf(one -> {
            var isNamed = gateways.stream()
                    .anyMatch(gateway -> gateway.namespace().equals(one.getKey().namespace)
                            && gateway.infrastructure()
                                    .parameters()
                                    .filter(one.getKey().name::equals)
                                    .isPresent());
            if (!isNamed) {
                one.getValue().close();
            }
            return !isNamed;
        });
    }

    @Override
    public synchronized void close() {
        defaults.close();
        named.values().forEach(Present::close);
    }
}
