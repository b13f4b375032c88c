package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RevisionTag;
import dev.culvert.kube.object.Service;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Whose an object is, where controllers of several revisions run. Its label `istio.io/rev` says so, else that of its
/// namespace, else it is the default's. The label names a revision, or a tag that stands for one. Pure.
public final class Revisions {
    public static final String DEFAULT = "default";

    /// What one writes for one's own revision: with a label of another it is not for our proxies. Everything else is
    /// known to every revision, so that pods of two revisions reach each other.
    private static final Set<Kind> CONFIGURATION = Collections.unmodifiableSet(EnumSet.of(
            Kind.PEER_AUTHENTICATION,
            Kind.AUTHORIZATION_POLICY,
            Kind.REQUEST_AUTHENTICATION,
            Kind.HTTP_ROUTE,
            Kind.GRPC_ROUTE,
            Kind.TCP_ROUTE,
            Kind.TLS_ROUTE,
            Kind.ISTIO_GATEWAY,
            Kind.VIRTUAL_SERVICE,
            Kind.DESTINATION_RULE,
            Kind.TELEMETRY));

    private static final Set<Kind> POLICIES = Collections.unmodifiableSet(
            EnumSet.of(Kind.PEER_AUTHENTICATION, Kind.AUTHORIZATION_POLICY, Kind.REQUEST_AUTHENTICATION));

    private final ObjectSet objects;
    private final String own;
    private final Map<String, String> tags;

    private Revisions(ObjectSet objects, String own, Map<String, String> tags) {
        this.objects = objects;
        this.own = own;
        this.tags = tags;
    }

    public static Revisions of(ObjectSet objects, TranslationSettings settings) {
        return new Revisions(objects, settings.revision(), tags(objects, settings.rootNamespace()));
    }

    /// Newer versions of Istio keep a tag as a Service of the system namespace too, and that one counts.
    private static Map<String, String> tags(ObjectSet objects, String systemNamespace) {
        var tags = new HashMap<String, String>();
        objects.all(Service.class, systemNamespace).forEach(service -> put(service, tags));
        objects.all(RevisionTag.class).forEach(tag -> put(tag, tags));
        return tags;
    }

    private static void put(KubeObject object, Map<String, String> tags) {
        var tag = object.metadata().label(RevisionTag.TAG).orElse("");
        var revision = object.metadata().label(RevisionTag.REVISION).orElse("");
        if (!tag.isEmpty() && !revision.isEmpty()) {
            tags.putIfAbsent(tag, revision);
        }
    }

    /// Whether this controller writes its status, deploys it, judges it.
    public boolean owns(KubeObject object) {
        return owns(object.namespace(), object.metadata().labels());
    }

    /// Of an object that perhaps could not be read.
    public boolean owns(ObjectKey key) {
        return Optional.ofNullable(objects.objects().get(key))
                .map(this::owns)
                .orElseGet(() -> owns(key.namespace(), Map.of()));
    }

    /// @param namespace empty for an object of the cluster
    public boolean owns(String namespace, Map<String, String> labels) {
        return revision(Optional.ofNullable(labels.get(RevisionTag.REVISION))
                        .or(() -> objects.namespace(namespace)
                                .flatMap(home -> home.metadata().label(RevisionTag.REVISION)))
                        .orElse(""))
                .equals(own);
    }

    /// What counts for the proxies that ask this controller. A node's proxy serves pods of all namespaces and asks one
    /// controller, so only the object's own label takes it away from us: that of its namespace does not.
    public ObjectSet configuration() {
        var kept = new HashMap<ObjectKey, KubeObject>();
        var problems = new ArrayList<>(objects.problems());
        objects.objects().forEach((key, object) -> {
            var said = object.metadata().label(RevisionTag.REVISION);
            if (!CONFIGURATION.contains(key.kind())
                    || said.map(this::revision).filter(own::equals).isPresent()
                    || said.isEmpty()) {
                kept.put(key, object);
            } else if (POLICIES.contains(key.kind())) {
                problems.add(Problem.warning(
                        object.place(),
                        key.toString(),
                        "label " + RevisionTag.REVISION + ": " + said.get()
                                + " keeps it from proxies that ask the controller of revision " + own
                                + ": they do not enforce it",
                        "remove the label, if their pods are meant too"));
            }
        });
        return kept.size() == objects.objects().size() ? objects : new ObjectSet(kept, problems, objects.gaps());
    }

    private String revision(String said) {
        var name = said.isEmpty() ? DEFAULT : said;
        return tags.getOrDefault(name, name);
    }
}
