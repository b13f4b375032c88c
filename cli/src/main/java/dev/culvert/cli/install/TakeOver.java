package dev.culvert.cli.install;

import dev.culvert.cli.install.Upgrade.Piece;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Puts one part of ours in the place of Istio's, under the same names, while the mesh runs: each object is replaced as
/// a whole, so that nothing of the former one stays in it, and pods roll as in an upgrade.
///
/// @param namespace where the mesh is
record TakeOver(Cluster cluster, String namespace) {
    /// What the API server does not let anybody change; and what it gave, which clients use.
    private static final List<String> OF_SERVICES = List.of("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy");

    /// Nothing is changed before all this is so. What is ours already may be so by an attempt that was not finished.
    ///
    /// @param objects of the part
    void check(Piece piece, List<Map<String, Object>> objects) throws IOException {
        var part = piece.part(Revisions.DEFAULT);
        if (piece == Piece.CNI) {
            throw new IOException(
                    "the node agent is not taken over: pods that run carry the rules of Istio's, which ours cannot exchange."
                            + " Nothing was changed. Leave it: the other parts of ours speak as it does");
        }
        var there = cluster.get(part.type(), namespace, part.name())
                .orElseThrow(() -> new IOException(
                        "there is no %s %s in %s to take over. Nothing was changed; 'culvert install' says what of Istio's is there"
                                .formatted(part.type().kind(), part.name(), namespace)));
        for (var object : objects) {
            if (part.type().kind().equals(object.get("kind"))
                    && !selector(object).equals(selector(there.getAdditionalProperties()))) {
                throw new IOException(
                        "%s %s chooses its pods by %s, and ours by %s, which nobody can change. Nothing was changed. Uninstall that part first, and run 'culvert install'"
                                .formatted(
                                        part.type().kind(),
                                        part.name(),
                                        selector(there.getAdditionalProperties()),
                                        selector(object)));
            }
        }
        if (piece == Piece.ISTIOD) {
            checkController(new IstioParts(cluster, namespace));
        }
    }

    private static Object selector(Map<String, ?> workload) {
        return workload.get("spec") instanceof Map<?, ?> spec
                ? Objects.requireNonNullElse(spec.get("selector"), "")
                : "";
    }

    private static void checkController(IstioParts istio) throws IOException {
        var served = new ArrayList<String>();
        istio.gateways().forEach((name, users) -> users.forEach(user -> served.add(user + " of class " + name)));
        if (!served.isEmpty()) {
            throw new IOException(
                    "Istio's controller runs Gateways that ours would not go on to run: %s. Nothing was changed. Move them first: 'culvert install --revision culvert' puts ours beside it, which serves the classes culvert and culvert-waypoint; label them istio.io/rev=culvert"
                            .formatted(String.join(", ", served)));
        }
        var sidecars = istio.withSidecars();
        if (!sidecars.isEmpty()) {
            throw new IOException(
                    "these namespaces have sidecars, of which our controller knows nothing: %s. Nothing was changed. Enrol them by istio.io/dataplane-mode=ambient instead of istio-injection=enabled, and start their pods anew, first"
                            .formatted(String.join(", ", sidecars)));
        }
    }

    /// @param objects of the part
    void run(Piece piece, List<Map<String, Object>> objects, Installer installer)
            throws IOException, InterruptedException {
        for (var object : objects) {
            installer.progress().doing("replacing " + object.get("kind") + " " + Documents.name(object));
            replace(object);
        }
        installer.progress().done(objects.size() + " objects are ours");
        installer.await(piece.part(Revisions.DEFAULT));
        if (piece == Piece.ISTIOD) {
            removeRest(installer.progress());
        }
    }

    private void replace(Map<String, Object> object) throws IOException {
        var type = Cluster.type(object);
        var there = cluster.get(type, Documents.namespace(object), Documents.name(object));
        if (there.isEmpty() || Cluster.isOurs(there.get())) {
            cluster.apply(object);
        } else if (isBound(type) && !Objects.equals(there.get().get("roleRef"), object.get("roleRef"))) {
            cluster.delete(type, there.get());
            cluster.apply(object);
        } else {
            cluster.replace(
                    type, type.equals(Cluster.SERVICE) ? withAddresses(object, there.get()) : object, there.get());
        }
    }

    private static boolean isBound(Cluster.Type type) {
        return type.equals(Cluster.ROLE_BINDING) || type.equals(Cluster.CLUSTER_ROLE_BINDING);
    }

    private static Map<String, Object> withAddresses(Map<String, Object> service, GenericKubernetesResource there) {
        var spec = new LinkedHashMap<Object, Object>();
        if (service.get("spec") instanceof Map<?, ?> said) {
            spec.putAll(said);
        }
        for (var field : OF_SERVICES) {
            var value = there.<Object>get("spec", field);
            if (value != null) {
                spec.put(field, value);
            }
        }
        var whole = new LinkedHashMap<>(service);
        whole.put("spec", spec);
        return whole;
    }

    /// What of Istio's controller would ask ours what it does not answer, or keep it from serving the classes.
    private void removeRest(Progress progress) throws IOException {
        var istio = new IstioParts(cluster, namespace);
        for (var type : List.of(Cluster.VALIDATING_WEBHOOK, Cluster.MUTATING_WEBHOOK)) {
            for (var one : istio.webhooks(type)) {
                cluster.delete(type, one);
                progress.done(type.kind() + " " + one.getMetadata().getName() + " of Istio's is removed");
                var tag = Revisions.label(one, Revisions.TAG, "");
                if (!tag.isEmpty()) {
                    new Revisions(cluster, namespace)
                            .set(tag, Revisions.label(one, Revisions.LABEL, Revisions.DEFAULT));
                    progress.done("tag " + tag + " is kept, without its webhooks");
                }
            }
        }
        for (var known : istio.classes()) {
            cluster.delete(Cluster.GATEWAY_CLASS, known);
            progress.done("GatewayClass " + known.getMetadata().getName() + " of Istio's is removed");
        }
    }
}
