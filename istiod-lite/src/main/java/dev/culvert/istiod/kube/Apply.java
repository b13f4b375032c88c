package dev.culvert.istiod.kube;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;

/// Server-side apply: fields that we name become as we say, others stay.
public final class Apply {
    private static final String MANAGER = "istiod-culvert";

    private Apply() {}

    private static PatchContext context() {
        return new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(MANAGER)
                .withForce(true)
                .build();
    }

    /// Makes or changes an object.
    public static void object(KubernetesClient client, HasMetadata wanted) {
        client.resource(wanted).patch(context(), wanted);
    }

    /// Changes the status of an object that is there.
    public static void status(
            KubernetesClient client, ResourceDefinitionContext kind, GenericKubernetesResource wanted) {
        var all = client.genericKubernetesResources(kind);
        var namespace = wanted.getMetadata().getNamespace();
        var one = namespace == null
                ? all.resource(wanted)
                : all.inNamespace(namespace).resource(wanted);
        one.subresource("status").patch(context(), wanted);
    }
}
