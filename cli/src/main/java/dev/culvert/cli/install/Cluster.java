package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// An API server's objects, of any kind, without classes for them; failures are [IOException]s that name the
/// object.
final class Cluster {
    /// What all objects of ours carry.
    static final String PART_OF = "app.kubernetes.io/part-of";

    static final String OURS = "culvert";
    private static final String FIELD_MANAGER = "culvert";

    private final KubernetesClient client;

    Cluster(KubernetesClient client) {
        this.client = client;
    }

    /// A kind as paths have it.
    /// @param group empty for the core group
    record Type(String group, String version, String kind, String plural, boolean namespaced) {
        static Type core(String kind, String plural) {
            return new Type("", "v1", kind, plural, true);
        }

        static Type of(String group, String kind, String plural) {
            return new Type(group, "v1", kind, plural, true);
        }

        static Type global(String group, String kind, String plural) {
            return new Type(group, "v1", kind, plural, false);
        }

        String apiVersion() {
            return group.isEmpty() ? version : group + "/" + version;
        }
    }

    static final Type NAMESPACE = Type.global("", "Namespace", "namespaces");
    static final Type POD = Type.core("Pod", "pods");
    static final Type SERVICE = Type.core("Service", "services");
    static final Type SERVICE_ACCOUNT = Type.core("ServiceAccount", "serviceaccounts");
    static final Type CONFIG_MAP = Type.core("ConfigMap", "configmaps");
    static final Type SECRET = Type.core("Secret", "secrets");
    static final Type NODE = Type.global("", "Node", "nodes");
    static final Type DEPLOYMENT = Type.of("apps", "Deployment", "deployments");
    static final Type DAEMON_SET = Type.of("apps", "DaemonSet", "daemonsets");
    static final Type NETWORK_POLICY = Type.of("networking.k8s.io", "NetworkPolicy", "networkpolicies");
    static final Type DISRUPTION_BUDGET = Type.of("policy", "PodDisruptionBudget", "poddisruptionbudgets");
    static final Type ROLE = Type.of("rbac.authorization.k8s.io", "Role", "roles");
    static final Type ROLE_BINDING = Type.of("rbac.authorization.k8s.io", "RoleBinding", "rolebindings");
    static final Type CLUSTER_ROLE = Type.global("rbac.authorization.k8s.io", "ClusterRole", "clusterroles");
    static final Type CLUSTER_ROLE_BINDING =
            Type.global("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings");
    static final Type VALIDATING_WEBHOOK = Type.global(
            "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
    static final Type MUTATING_WEBHOOK = Type.global(
            "admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");
    static final Type LEASE = Type.of("coordination.k8s.io", "Lease", "leases");
    static final Type DEFINITION =
            Type.global("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions");
    static final Type GATEWAY_CLASS = Type.global("gateway.networking.k8s.io", "GatewayClass", "gatewayclasses");

    /// All that charts render.
    static final List<Type> RENDERED = List.of(
            NAMESPACE,
            SERVICE,
            SERVICE_ACCOUNT,
            CONFIG_MAP,
            DEPLOYMENT,
            DAEMON_SET,
            DISRUPTION_BUDGET,
            ROLE,
            ROLE_BINDING,
            CLUSTER_ROLE,
            CLUSTER_ROLE_BINDING,
            VALIDATING_WEBHOOK);

    /// @throws IOException if it is a kind that we do not install
    static Type type(Map<String, Object> object) throws IOException {
        return RENDERED.stream()
                .filter(type -> type.kind.equals(object.get("kind"))
                        && type.apiVersion().equals(object.get("apiVersion")))
                .findFirst()
                .orElseThrow(() -> new IOException("the charts have an object of a kind that is not installed: "
                        + object.get("apiVersion") + " " + object.get("kind")));
    }

    private MixedOperation<
                    GenericKubernetesResource, GenericKubernetesResourceList, Resource<GenericKubernetesResource>>
            all(Type type) {
        return client.genericKubernetesResources(new ResourceDefinitionContext.Builder()
                .withGroup(type.group.isEmpty() ? null : type.group)
                .withVersion(type.version)
                .withKind(type.kind)
                .withPlural(type.plural)
                .withNamespaced(type.namespaced)
                .build());
    }

    private Resource<GenericKubernetesResource> one(Type type, @Nullable String namespace, String name) {
        return type.namespaced
                ? all(type).inNamespace(namespace).withName(name)
                : all(type).withName(name);
    }

    private interface Call<T> {
        T run();
    }

    private static <T> T call(String what, Call<T> call) throws IOException {
        try {
            return call.run();
        } catch (KubernetesClientException e) {
            throw new IOException(what + ": " + reason(e), e);
        }
    }

    private static String reason(KubernetesClientException e) {
        if (e.getStatus() != null && e.getStatus().getMessage() != null) {
            return e.getStatus().getMessage();
        }
        return e.getCause() == null
                ? String.valueOf(e.getMessage())
                : "the API server cannot be asked: " + e.getCause();
    }

    Optional<GenericKubernetesResource> get(Type type, String namespace, String name) throws IOException {
        return call(
                "get " + type.kind + " " + name,
                () -> Optional.ofNullable(one(type, namespace, name).get()));
    }

    /// @param namespace empty for all
    /// @param labels all of them
    /// @return nothing also where the kind is not served
    List<GenericKubernetesResource> list(Type type, String namespace, Map<String, String> labels) throws IOException {
        return call("list " + type.plural, () -> {
            try {
                var every = all(type);
                var wanted =
                        !type.namespaced || namespace.isEmpty() ? every.inAnyNamespace() : every.inNamespace(namespace);
                return wanted.withLabels(labels).list().getItems();
            } catch (KubernetesClientException e) {
                if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
                    return List.of();
                }
                throw e;
            }
        });
    }

    /// Server-side apply; what others have set in our fields becomes ours.
    void apply(Map<String, Object> object) throws IOException {
        apply(type(object), object);
    }

    void apply(Type type, Map<String, Object> object) throws IOException {
        var resource = client.getKubernetesSerialization().convertValue(object, GenericKubernetesResource.class);
        var home = resource.getMetadata().getNamespace();
        call(
                "apply " + type.kind + " " + resource.getMetadata().getName(),
                () -> (type.namespaced
                                ? all(type).inNamespace(home).resource(resource)
                                : all(type).resource(resource))
                        .fieldManager(FIELD_MANAGER)
                        .forceConflicts()
                        .serverSideApply());
    }

    /// Puts an object in the place of one of the same name: nothing of that one stays but its identity.
    void replace(Type type, Map<String, Object> object, GenericKubernetesResource there) throws IOException {
        var resource = client.getKubernetesSerialization().convertValue(object, GenericKubernetesResource.class);
        resource.getMetadata().setResourceVersion(there.getMetadata().getResourceVersion());
        resource.getMetadata().setUid(there.getMetadata().getUid());
        var home = there.getMetadata().getNamespace();
        call(
                "replace " + type.kind + " " + there.getMetadata().getName(),
                () -> (type.namespaced
                                ? all(type).inNamespace(home).resource(resource)
                                : all(type).resource(resource))
                        .update());
    }

    /// @return whether it was there
    boolean delete(Type type, GenericKubernetesResource object) throws IOException {
        var metadata = object.getMetadata();
        var foreground = type.group.equals("apps");
        return !call(
                        "delete " + type.kind + " " + metadata.getName(),
                        () -> one(type, metadata.getNamespace(), metadata.getName())
                                .withPropagationPolicy(
                                        foreground ? DeletionPropagation.FOREGROUND : DeletionPropagation.BACKGROUND)
                                .delete())
                .isEmpty();
    }

    String serverVersion() throws IOException {
        return call("ask for the version", () -> client.getKubernetesVersion().getGitVersion());
    }

    static boolean isOurs(GenericKubernetesResource object) {
        var labels = object.getMetadata().getLabels();
        return labels != null && OURS.equals(labels.get(PART_OF));
    }
}
