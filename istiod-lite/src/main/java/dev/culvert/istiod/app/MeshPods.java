package dev.culvert.istiod.app;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import java.util.Optional;
import java.util.function.Supplier;

/// What the authority knows of a cluster's pods: a caller is on the node of its own pod, whatever its token says.
record MeshPods(Supplier<ObjectSet> objects) implements CertificateService.Pods {
    @Override
    public Optional<String> node(Caller caller) {
        return objects.get()
                .find(Pod.class, Kind.POD, caller.namespace(), caller.pod())
                .filter(pod ->
                        !caller.podUid().isEmpty() && pod.metadata().uid().equals(caller.podUid()))
                .filter(pod -> pod.spec().serviceAccount().equals(caller.serviceAccount()) && !pod.finished())
                .map(pod -> pod.spec().nodeName())
                .filter(node -> !node.isEmpty());
    }

    @Override
    public boolean runsOn(String node, String namespace, String serviceAccount) {
        return runOn(objects.get(), node, namespace, serviceAccount);
    }

    static boolean runOn(ObjectSet objects, String node, String namespace, String serviceAccount) {
        return objects.pods().stream()
                .anyMatch(pod -> pod.metadata().namespace().equals(namespace)
                        && pod.spec().nodeName().equals(node)
                        && pod.spec().serviceAccount().equals(serviceAccount)
                        && !pod.finished());
    }
}
