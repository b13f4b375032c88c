package dev.culvert.kube.read;

import dev.culvert.kube.object.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Kinds that we know by name and do not act on.
final class KnownKinds {
    /// Their authors expect a mesh to act on them.
    private static final Set<String> MESH =
            Set.of("UDPRoute", "BackendTLSPolicy", "NetworkPolicy", "Ingress", "IngressClass");

    /// Others that people keep in the same folder.
    private static final Set<String> OTHER = Set.of(
            "StatefulSet",
            "DaemonSet",
            "ReplicaSet",
            "Job",
            "CronJob",
            "Role",
            "RoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "StorageClass",
            "HorizontalPodAutoscaler",
            "PodDisruptionBudget",
            "PriorityClass",
            "LimitRange",
            "ResourceQuota",
            "Endpoints",
            "Event",
            "Lease",
            "CustomResourceDefinition",
            "ValidatingWebhookConfiguration",
            "ServiceMonitor",
            "PodMonitor",
            "PrometheusRule",
            "Kustomization");

    private KnownKinds() {}

    static boolean ignored(String kind) {
        return MESH.contains(kind) || OTHER.contains(kind);
    }

    /// Every kind that has a meaning here.
    static List<String> all() {
        var all = new TreeSet<>(MESH);
        all.addAll(OTHER);
        Arrays.stream(Kind.values()).map(Kind::text).forEach(all::add);
        return List.copyOf(all);
    }
}
