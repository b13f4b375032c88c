package dev.culvert.cli.install;

import dev.culvert.cli.install.Finding.Level;
import dev.culvert.cli.install.Rollout.Part;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What `culvert check` looks at. Confined to one thread.
final class Checks {
    private static final String MODE = "istio.io/dataplane-mode";
    private static final String REDIRECTION = "ambient.istio.io/redirection";
    private static final String NOTES = "culvert.dev/capture-notes";
    private static final String ROOT = "istio-ca-root-cert";
    /// Of each kind only so many troubles are told.
    private static final int MOST = 10;

    private final Cluster cluster;
    private final String namespace;
    private final Revisions revisions;
    private final List<Finding> findings = new ArrayList<>();

    Checks(Cluster cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.revisions = new Revisions(cluster, namespace);
    }

    List<Finding> all() throws IOException {
        fine("kubernetes", "the API server answers, version " + cluster.serverVersion());
        definitions();
        for (var part : revisions.controllers()) {
            part(part);
        }
        part(Rollout.AGENT);
        part(Rollout.ZTUNNEL);
        owners();
        root();
        capture();
        return List.copyOf(findings);
    }

    private void fine(String section, String what) {
        findings.add(new Finding(section, Level.FINE, what, ""));
    }

    private void found(String section, Level level, String what, String advice) {
        findings.add(new Finding(section, level, what, advice));
    }

    private void definitions() throws IOException {
        for (var name : List.of(
                "peerauthentications.security.istio.io",
                "authorizationpolicies.security.istio.io",
                "gateways.gateway.networking.k8s.io")) {
            if (cluster.get(Cluster.DEFINITION, "", name).isPresent()) {
                fine("kubernetes", name + " is served");
            } else {
                found(
                        "kubernetes",
                        Level.WARNING,
                        name + " is not served",
                        "What such objects say is off until its CustomResourceDefinition is applied; no restart is needed.");
            }
        }
    }

    private void part(Part part) throws IOException {
        var rollout = Rollout.of(cluster, namespace, part);
        if (rollout.isEmpty()) {
            found("mesh", Level.ERROR, part.part() + " is not installed", "Run 'culvert install'.");
        } else if (rollout.get().complete()) {
            fine("mesh", rollout.get() + " ready");
        } else {
            var troubles = Rollout.troubles(cluster, namespace, part);
            var first = troubles.subList(0, Math.min(MOST, troubles.size()));
            found("mesh", Level.ERROR, rollout.get() + " ready", String.join("\n    ", first));
        }
    }

    /// Whom no controller takes for its own gets no waypoints and no status.
    private void owners() throws IOException {
        var known = new HashSet<>(revisions.installed());
        for (var tag : revisions.tags()) {
            if (!known.contains(tag.revision())) {
                found(
                        "mesh",
                        Level.WARNING,
                        "tag " + tag.name() + " stands for revision " + tag.revision() + ", which is not installed",
                        "Move it by 'culvert tag set " + tag.name() + " --revision REV --overwrite'.");
            }
            known.add(tag.name());
        }
        known.add(Revisions.DEFAULT);
        for (var labelled : revisions.namespaces().entrySet()) {
            if (!known.contains(labelled.getKey())) {
                found(
                        "mesh",
                        Level.WARNING,
                        "no revision or tag is called " + labelled.getKey() + ", and these namespaces name it: "
                                + String.join(", ", labelled.getValue()),
                        "Correct their label " + Revisions.LABEL + ", or install that revision.");
            }
        }
    }

    private void root() throws IOException {
        if (cluster.get(Cluster.CONFIG_MAP, namespace, ROOT).isPresent()) {
            fine("mesh", "the root certificate is published");
        } else {
            found(
                    "mesh",
                    Level.ERROR,
                    "there is no ConfigMap " + ROOT + " in " + namespace,
                    "The controller writes it; see 'kubectl -n " + namespace + " logs deployment/istiod'.");
        }
    }

    /// What labels ask for, beside what the agents have published.
    private void capture() throws IOException {
        var modes = new HashMap<String, String>();
        for (var one : cluster.list(Cluster.NAMESPACE, "", Map.of())) {
            modes.put(one.getMetadata().getName(), label(one));
        }
        var captured = 0;
        var open = new ArrayList<String>();
        var notes = new ArrayList<String>();
        var ours = new ArrayList<GenericKubernetesResource>();
        for (var pod : cluster.list(Cluster.POD, "", Map.of())) {
            var state = annotation(pod, REDIRECTION);
            var note = annotation(pod, NOTES);
            if (!note.isEmpty()) {
                notes.add("pod " + pod.getMetadata().getNamespace() + "/"
                        + pod.getMetadata().getName() + ": " + note);
            }
            if (state.equals("enabled") || wanted(pod, modes)) {
                ours.add(pod);
            }
            if (state.equals("enabled")) {
                captured++;
            } else if (note.isEmpty() && wanted(pod, modes) && Rollout.isReady(pod)) {
                open.add(pod.getMetadata().getNamespace() + "/"
                        + pod.getMetadata().getName() + (state.isEmpty() ? "" : ": " + state));
            }
        }
        fine("capture", captured + " pods are captured");
        for (var note : notes.subList(0, Math.min(MOST, notes.size()))) {
            found("capture", Level.WARNING, note, "The pod's own annotations, labels and probes say so.");
        }
        for (var pod : open.subList(0, Math.min(MOST, open.size()))) {
            found(
                    "capture",
                    Level.WARNING,
                    "pod " + pod + " is enrolled and not captured",
                    "Its node's agent says why: 'kubectl -n " + namespace + " logs -l app=istio-cni-node'.");
        }
        findings.addAll(policies(cluster, ours));
    }

    /// Of `pods`, which are in the mesh or are to be.
    static List<Finding> policies(Cluster cluster, List<GenericKubernetesResource> pods) throws IOException {
        var blocked = HbonePort.blocked(pods, cluster.list(Cluster.NETWORK_POLICY, "", Map.of()));
        return blocked.subList(0, Math.min(MOST, blocked.size())).stream()
                .map(
                        what -> new Finding(
                                "network policies",
                                Level.WARNING,
                                what,
                                "Add a rule with port 15008 beside the application's: between pods of the mesh all TCP comes by it."))
                .toList();
    }

    private static String label(GenericKubernetesResource object) {
        var labels = object.getMetadata().getLabels();
        return labels == null ? "" : Objects.requireNonNullElse(labels.get(MODE), "");
    }

    private static String annotation(GenericKubernetesResource pod, String name) {
        var annotations = pod.getMetadata().getAnnotations();
        return annotations == null ? "" : Objects.requireNonNullElse(annotations.get(name), "");
    }

    private boolean wanted(GenericKubernetesResource pod, Map<String, String> modes) {
        var home = pod.getMetadata().getNamespace();
        var hostNetwork = Boolean.TRUE.equals(pod.<Object>get("spec", "hostNetwork"));
        var own = label(pod);
        return !hostNetwork
                && !home.equals(namespace)
                && (own.equals("ambient") || (own.isEmpty() && "ambient".equals(modes.get(home))));
    }
}
