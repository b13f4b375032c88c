package dev.culvert.istiod.status;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.kube.Apply;
import dev.culvert.istiod.kube.Leader;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.kube.client.ApiResource;
import dev.culvert.kube.object.ObjectKey;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Writes what became of objects into their status, where it says something else; a condition keeps its time while its
/// truth stays. What this replica wrote and no longer wants it takes back.
public final class Statuses implements Leader.Writer<Outcome> {
    private static final String CONDITIONS = "conditions";
    private static final String PARENTS = "parents";
    private static final String TIME = "lastTransitionTime";

    private final KubernetesClient client;
    private final Function<Outcome, List<Wanted>> wanted;
    private final Clock clock;
    private final Map<ObjectKey, Wanted> written = new HashMap<>();

    public Statuses(KubernetesClient client, TranslationSettings settings, Deployed deployed, Clock clock) {
        this.client = client;
        this.wanted = new StatusRules(settings, deployed)::of;
        this.clock = clock;
    }

    @Override
    public void begin() {
        written.clear();
    }

    @Override
    public void write(Outcome now) {
        var failed = new ArrayList<String>();
        var keys = new HashSet<ObjectKey>();
        for (var one : wanted.apply(now)) {
            keys.add(one.key());
            attempt(one, failed);
        }
        for (var old : List.copyOf(written.values())) {
            if (keys.contains(old.key())) {
                continue;
            }
            if (!now.objects().objects().containsKey(old.key())
                    || !now.revisions().owns(old.key())) {
                written.remove(old.key());
            } else {
                attempt(new Wanted(old.key(), old.generation(), Map.of()), failed);
            }
        }
        if (!failed.isEmpty()) {
            throw new IllegalStateException(String.join("; ", failed));
        }
    }

    private void attempt(Wanted one, List<String> failed) {
        if (one.equals(written.get(one.key()))) {
            return;
        }
        try {
            write(one);
            written.put(one.key(), one);
        } catch (KubernetesClientException refused) {
            if (refused.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                failed.add(one.key() + ": " + refused.getMessage());
            }
        }
    }

    private void write(Wanted one) {
        var kind = ApiResource.of(one.key().kind());
        var context = kind.context(kind.versions().getFirst());
        var status = timed(one, current(one.key(), context));
        var object = new GenericKubernetesResource();
        object.setApiVersion(one.key().kind().apiVersions().getFirst());
        object.setKind(one.key().kind().text());
        object.setMetadata(new ObjectMetaBuilder()
                .withName(one.key().name())
                .withNamespace(one.key().kind().namespaced() ? one.key().namespace() : null)
                .build());
        object.setAdditionalProperty("status", status);
        Apply.status(client, context, object);
    }

    private Map<?, ?> current(ObjectKey key, ResourceDefinitionContext context) {
        var all = client.genericKubernetesResources(context);
        var one = key.kind().namespaced()
                ? all.inNamespace(key.namespace()).withName(key.name()).get()
                : all.withName(key.name()).get();
        return Optional.ofNullable(one)
                .map(there -> there.getAdditionalProperties().get("status"))
                .filter(Map.class::isInstance)
                .<Map<?, ?>>map(status -> (Map<?, ?>) status)
                .orElse(Map.of());
    }

    private Map<String, ?> timed(Wanted one, Map<?, ?> current) {
        var status = new LinkedHashMap<String, Object>();
        one.fields().forEach((name, value) -> status.put(name, withTimes(name, value, current.get(name), one)));
        if (status.get(PARENTS) instanceof List<?> ours && current.get(PARENTS) instanceof List<?> all) {
            // The list is one field: what other controllers say of the route stays in it.
            status.put(
                    PARENTS,
                    Stream.concat(ours.stream(), all.stream().filter(Statuses::isForeign))
                            .toList());
        }
        return status;
    }

    private static boolean isForeign(Object parent) {
        return parent instanceof Map<?, ?> map && !Waypoints.CONTROLLER.equals(map.get("controllerName"));
    }

    /// Conditions may lie deeper: those of listeners and of a route's parents.
    private Object withTimes(String name, Object value, @Nullable Object current, Wanted one) {
        if (!(value instanceof List<?> list)) {
            return value;
        }
        var all = new ArrayList<Object>();
        for (var i = 0; i < list.size(); i++) {
            var item = list.get(i);
            if (name.equals(CONDITIONS) && item instanceof Map<?, ?> condition) {
                all.add(withTime(condition, current, one));
            } else if (item instanceof Map<?, ?> map && map.get(CONDITIONS) != null) {
                var before = current instanceof List<?> old && i < old.size() && old.get(i) instanceof Map<?, ?> same
                        ? same.get(CONDITIONS)
                        : null;
                var copy = new LinkedHashMap<Object, Object>(map);
                copy.put(CONDITIONS, withTimes(CONDITIONS, map.get(CONDITIONS), before, one));
                all.add(copy);
            } else {
                all.add(item);
            }
        }
        return all;
    }

    private Map<?, ?> withTime(Map<?, ?> condition, @Nullable Object current, Wanted one) {
        var old = current instanceof List<?> list ? list : List.of();
        var since = old.stream()
                .filter(Map.class::isInstance)
                .map(Map.class::cast)
                .filter(before -> Objects.equals(condition.get("type"), before.get("type"))
                        && Objects.equals(condition.get("status"), before.get("status")))
                .map(before -> before.get(TIME))
                .filter(String.class::isInstance)
                .findFirst()
                .orElseGet(() -> clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
        var timed = new LinkedHashMap<Object, Object>(condition);
        timed.put(TIME, since);
        timed.put("observedGeneration", one.generation());
        return timed;
    }
}
