package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;

/// Files of the corpus, each with what its `observe:` says, on the harbour that stands.
abstract class HarbourFiles {
    static final String BERTH = "http://berth.quay.svc.cluster.local:8080";
    static final String CUSTOMS = "http://customs.quay.svc.cluster.local:8080";

    final KubeCluster cluster;
    final Harbour harbour;
    final String near;
    final String far;

    HarbourFiles(InstalledMesh mesh, Harbour harbour) {
        cluster = mesh.cluster;
        near = mesh.near;
        far = mesh.far;
        this.harbour = harbour;
    }

    Pod stranger(String node) {
        return cluster.pod(Harbour.OFFSHORE, "stranger-" + node);
    }

    boolean isServed(Pod from, Pod to) throws Exception {
        return harbour.call(from, 1, 1, "GET", harbour.url(to, 8080)).of("200 ") == 1;
    }

    void awaitServed(Pod from, Pod to) throws Exception {
        Await.until(named(to) + " serves " + named(from), () -> isServed(from, to));
    }

    void awaitRefused(Pod from, Pod to) throws Exception {
        Await.until(named(to) + " refuses " + named(from), () -> !isServed(from, to));
    }

    static String named(Pod pod) {
        return pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName();
    }

    void awaitCondition(String kind, String name, String type, String status) throws Exception {
        Await.until(
                kind + " " + name + " has " + type + "=" + status,
                () -> cluster.condition(kind, Harbour.QUAY, name, type).equals(status));
    }

    /// The files of a rule that says something in vain are taken, and the API server's answer says what.
    void assertWarned(String file, String... words) throws Exception {
        assertThat(String.join("\n", cluster.warnings(Harbour.file(file))))
                .as("warnings of " + file)
                .contains(words);
    }

    /// A sample of a counter for each set of labels.
    String metrics(Pod pod) throws Exception {
        return cluster.exec(
                        pod.getMetadata().getNamespace(),
                        pod.getMetadata().getName(),
                        "wget",
                        "-q",
                        "-O",
                        "-",
                        "http://127.0.0.1:15020/stats/prometheus")
                .succeeded();
    }
}
