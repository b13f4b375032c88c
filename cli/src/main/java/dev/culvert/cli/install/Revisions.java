package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import dev.culvert.kube.object.RevisionTag;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which revisions of the controller run in a cluster, whose namespaces are, and the tags that stand for them. A tag is
/// a MutatingWebhookConfiguration without webhooks: Istio's controllers and tools read its labels, and nobody is asked
/// anything.
final class Revisions {
    static final String DEFAULT = "default";
    static final String LABEL = RevisionTag.REVISION;
    static final String TAG = RevisionTag.TAG;
    private static final String NAME = "istio-revision-tag-";

    private final Cluster cluster;
    private final String system;

    Revisions(Cluster cluster, String system) {
        this.cluster = cluster;
        this.system = system;
    }

    /// One that there is.
    ///
    /// @param object what says so
    /// @param isOurs whether it was made by [#set]
    record Tag(String name, String revision, String object, boolean isOurs) {}

    /// Those whose controllers are installed, whoever made them.
    List<String> installed() throws IOException {
        var all = new TreeSet<String>();
        for (var one : cluster.list(Cluster.DEPLOYMENT, system, Map.of("app", "istiod"))) {
            all.add(label(one, LABEL, DEFAULT));
        }
        return List.copyOf(all);
    }

    /// The controllers that we installed, by revision; the default's if there is none at all.
    List<Part> controllers() throws IOException {
        var all = new ArrayList<Part>();
        for (var one : cluster.list(Cluster.DEPLOYMENT, system, Map.of("app", "istiod"))) {
            if (Cluster.isOurs(one)) {
                all.add(Rollout.controller(label(one, LABEL, DEFAULT)));
            }
        }
        return all.isEmpty() ? List.of(Rollout.CONTROLLER) : all;
    }

    /// By name. Where a Service and a webhook configuration disagree the Service counts, as it does for the controller.
    List<Tag> tags() throws IOException {
        var tags = new TreeMap<String, Tag>();
        for (var service : cluster.list(Cluster.SERVICE, system, Map.of())) {
            add(service, "Service " + service.getMetadata().getName(), tags);
        }
        for (var webhooks : cluster.list(Cluster.MUTATING_WEBHOOK, "", Map.of())) {
            add(
                    webhooks,
                    "MutatingWebhookConfiguration " + webhooks.getMetadata().getName(),
                    tags);
        }
        return List.copyOf(tags.values());
    }

    private static void add(GenericKubernetesResource one, String object, Map<String, Tag> tags) {
        var tag = label(one, TAG, "");
        var revision = label(one, LABEL, "");
        if (!tag.isEmpty() && !revision.isEmpty()) {
            tags.putIfAbsent(tag, new Tag(tag, revision, object, Cluster.isOurs(one)));
        }
    }

    /// Names of namespaces, by the revision or tag that their label says.
    Map<String, List<String>> namespaces() throws IOException {
        var all = new TreeMap<String, List<String>>();
        for (var one : cluster.list(Cluster.NAMESPACE, "", Map.of())) {
            var said = label(one, LABEL, "");
            if (!said.isEmpty()) {
                all.computeIfAbsent(said, _ -> new ArrayList<>())
                        .add(one.getMetadata().getName());
            }
        }
        return all;
    }

    /// What names a revision, itself or by a tag; node proxies that ask it, too.
    List<String> users(String revision) throws IOException {
        var users = new ArrayList<String>();
        for (var tag : tags()) {
            if (tag.revision().equals(revision)) {
                users.add("tag " + tag.name());
            }
        }
        for (var namespace : namespaces().getOrDefault(revision, List.of())) {
            users.add("namespace " + namespace);
        }
        var service = Rollout.controller(revision).name();
        for (var one : cluster.list(Cluster.DAEMON_SET, system, Map.of())) {
            if (Images.asks(one.getAdditionalProperties(), service)) {
                users.add("DaemonSet " + one.getMetadata().getName());
            }
        }
        for (var one : cluster.list(Cluster.DEPLOYMENT, "", Map.of())) {
            if (Images.asks(one.getAdditionalProperties(), service)) {
                users.add("Deployment " + one.getMetadata().getNamespace() + "/"
                        + one.getMetadata().getName());
            }
        }
        return users;
    }

    void set(String tag, String revision) throws IOException {
        cluster.apply(
                Cluster.MUTATING_WEBHOOK,
                Map.of(
                        "apiVersion",
                        Cluster.MUTATING_WEBHOOK.apiVersion(),
                        "kind",
                        Cluster.MUTATING_WEBHOOK.kind(),
                        "metadata",
                        Map.of(
                                "name",
                                NAME + tag,
                                "labels",
                                Map.of(TAG, tag, LABEL, revision, Cluster.PART_OF, Cluster.OURS))));
    }

    void remove(String tag) throws IOException {
        var found = cluster.get(Cluster.MUTATING_WEBHOOK, "", NAME + tag);
        if (found.isPresent()) {
            cluster.delete(Cluster.MUTATING_WEBHOOK, found.get());
        }
    }

    static String label(GenericKubernetesResource one, String name, String otherwise) {
        var labels = Objects.requireNonNullElse(one.getMetadata().getLabels(), Map.<String, String>of());
        return labels.getOrDefault(name, otherwise);
    }
}
