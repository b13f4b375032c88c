package dev.culvert.e2e.kube.cluster;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The harbour of the corpus on a cluster: its fixture as it is written, a stranger to the mesh on each node, and
/// what a test applies to them until it withdraws it.
final class Harbour {
    static final String QUAY = "quay";
    static final String OFFSHORE = "offshore";
    private static final Path CORPUS =
            Path.of(System.getProperty("culvert.root"), "e2e", "src", "test", "resources", "corpus");
    private static final String ORDER = "printf '%s\\n' \"$1\" | nc 127.0.0.1 9900";

    private final KubeCluster cluster;
    private final List<GenericKubernetesResource> applied = new ArrayList<>();
    private Set<String> fixture = Set.of();

    Harbour(KubeCluster cluster) {
        this.cluster = cluster;
    }

    /// How often which status of which pod came.
    record Seen(Map<String, Integer> times) {
        /// @param prefix `200 berth-calm`, or `503`
        int of(String prefix) {
            return times.entrySet().stream()
                    .filter(one -> one.getKey().startsWith(prefix))
                    .mapToInt(Map.Entry::getValue)
                    .sum();
        }

        int all() {
            return of("");
        }

        boolean isOnly(String prefix) {
            return all() > 0 && of(prefix) == all();
        }

        /// How many pods answered with 200.
        long pods() {
            return times.keySet().stream().filter(one -> one.startsWith("200 ")).count();
        }
    }

    /// A file of the corpus by its number, `000-03b`.
    static String file(String number) throws IOException {
        try (var files = Files.list(CORPUS)) {
            var found = files.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(number + "-") || name.equals(number + ".yaml"))
                    .map(CORPUS::resolve)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no file " + number));
            return Files.readString(found).replace("mesh-proxy-standin:test", "mesh-echo:test");
        }
    }

    /// @param labels in YAML, with a comma between them
    static String namespace(String name, String labels) {
        return """
                apiVersion: v1
                kind: Namespace
                metadata: {name: %s, labels: {%s}}
                """.formatted(name, labels);
    }

    /// One pod as the corpus has them.
    static String pod(String namespace, String name, String more) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s, labels: {app: %1$s}%s}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers: [{name: echo, image: "mesh-echo:test"}]
                """.formatted(name, namespace, more);
    }

    void open(List<String> nodes) throws Exception {
        var text = file("fixture");
        fixture = cluster.objects(text).stream().map(Harbour::key).collect(Collectors.toSet());
        cluster.apply(text);
        cluster.apply(namespace(OFFSHORE, ""));
        for (var node : nodes) {
            cluster.apply(
                    pod(OFFSHORE, "stranger-" + node, "").replace("spec:\n", "spec:\n  nodeName: " + node + "\n"));
            cluster.awaitReady(OFFSHORE, "stranger-" + node);
        }
        Await.until(
                "all pods of the fixture are ready",
                () -> pods("berth").size() == 3
                        && pods("customs").size() == 3
                        && pods("portal").size() == 1
                        && cluster.client().pods().inNamespace(QUAY).list().getItems().stream()
                                .allMatch(Readiness::isPodReady));
        Await.until(
                "berth is called through its waypoint",
                () -> call("portal", 9, "GET", "http://berth.quay:8080/").pods() == 3
                        && cluster.log(waypoint("quay-waypoint")).contains("request complete"));
    }

    void close() {
        for (var namespace : List.of(QUAY, OFFSHORE)) {
            cluster.client().namespaces().withName(namespace).delete();
        }
    }

    private static String key(GenericKubernetesResource object) {
        return object.getKind() + " " + object.getMetadata().getNamespace() + "/"
                + object.getMetadata().getName();
    }

    /// Until the test withdraws it.
    void apply(String yaml) throws InterruptedException {
        applied.addAll(cluster.objects(yaml));
        cluster.apply(yaml);
    }

    void remove(String yaml) {
        cluster.objects(yaml).forEach(cluster::delete);
    }

    /// Takes back what tests applied; what that replaced of the fixture is as it was.
    void withdraw() throws Exception {
        var isChanged = false;
        for (var object : applied.reversed()) {
            if (fixture.contains(key(object))) {
                isChanged = true;
            } else {
                cluster.delete(object);
            }
        }
        applied.clear();
        if (isChanged) {
            cluster.apply(file("fixture"));
        }
    }

    /// The ready or starting pods of an app of the quay.
    List<Pod> pods(String app) {
        return cluster.client().pods().inNamespace(QUAY).withLabel("app", app).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .toList();
    }

    Pod waypoint(String gateway) {
        return cluster
                .client()
                .pods()
                .inNamespace(QUAY)
                .withLabel("gateway.networking.k8s.io/gateway-name", gateway)
                .list()
                .getItems()
                .stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no pod of Gateway " + gateway));
    }

    String url(Pod pod, int port) {
        return "http://" + pod.getStatus().getPodIP() + ":" + port + "/";
    }

    Seen call(String app, int count, String method, String url, String... headers) throws Exception {
        return call(pods(app).getFirst(), count, 1, method, url, headers);
    }

    Seen call(Pod from, int count, int atOnce, String method, String url, String... headers) throws Exception {
        var arguments = new ArrayList<>(List.of("call", "" + count, "" + atOnce, method, url));
        arguments.addAll(List.of(headers));
        return seen(run(from, arguments));
    }

    /// How one request is answered, by a pod or not.
    int status(Pod from, String method, String url, String... headers) throws Exception {
        var seen = call(from, 1, 1, method, url, headers);
        return Integer.parseInt(seen.times().keySet().iterator().next().split(" ", 2)[0]);
    }

    /// Unary calls on one connection.
    Seen grpc(String app, int count, String target, String... headers) throws Exception {
        var arguments = new ArrayList<>(List.of("grpc", "" + count, target));
        arguments.addAll(List.of(headers));
        return seen(run(pods(app).getFirst(), arguments));
    }

    /// What the answer to one request says.
    String get(String app, String url, String... headers) throws Exception {
        var arguments = new ArrayList<>(List.of("get", url));
        arguments.addAll(List.of(headers));
        return run(pods(app).getFirst(), arguments).output();
    }

    /// By the program that runs in the pod.
    private Commands.Result run(Pod from, List<String> order) throws Exception {
        return cluster.exec(
                from.getMetadata().getNamespace(),
                from.getMetadata().getName(),
                "sh",
                "-c",
                ORDER,
                "sh",
                String.join("\t", order));
    }

    private static Seen seen(Commands.Result result) {
        var times = new TreeMap<String, Integer>();
        for (var line : result.succeeded().lines().toList()) {
            var blank = line.indexOf(' ');
            times.put(line.substring(blank + 1), Integer.parseInt(line.substring(0, blank)));
        }
        return new Seen(times);
    }
}
