import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A crowd on an API server. Its nodes have never been ready, so that the node lifecycle controller does not call their
/// pods unready; they exist, so that the pods are not collected as orphans; and the pods tolerate every taint.
final class ClusterCrowd implements Crowd, AutoCloseable {
    static final String SYSTEM = "crowd-system";
    private static final int AT_ONCE = 24;
    private static final int STEP = 1000;
    private static final int MOST = 30_000;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(3);

    private final ApiServer server;
    private final int pods;
    private final int services;

    ClusterCrowd(ApiServer server, int pods, int services) {
        if (pods > MOST) {
            throw new IllegalArgumentException("--pods " + pods + ": at most " + MOST + " on an API server");
        }
        this.server = server;
        this.pods = pods;
        this.services = services;
    }

    @Override
    public int pods() {
        return pods;
    }

    void fill() throws Exception {
        create("/api/v1/namespaces", namespace(SYSTEM, ""));
        for (var i = 0; i < NAMESPACES; i++) {
            create("/api/v1/namespaces", namespace("crowd-" + i, "\"istio.io/dataplane-mode\":\"ambient\""));
        }
        for (var i = 0; i < NODES; i++) {
            create("/api/v1/nodes", """
                    {"apiVersion":"v1","kind":"Node","metadata":{"name":"crowd-node-%d"},"spec":{"unschedulable":true}}
                    """.formatted(i));
        }
        create("/api/v1/namespaces/" + SYSTEM + "/serviceaccounts", """
                {"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"ztunnel"}}""");
        for (var i = 0; i < NAMESPACES; i++) {
            awaitAccount("crowd-" + i);
        }
        inParallel("services", services, this::service);
        inParallel("pods", pods, this::pod);
    }

    private void create(String path, String object) throws IOException, InterruptedException {
        server.create(path, object);
    }

    private static String namespace(String name, String labels) {
        return """
                {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s","labels":{%s}}}""".formatted(name, labels);
    }

    /// Without its account a pod is refused.
    private void awaitAccount(String namespace) throws IOException, InterruptedException {
        var end = System.nanoTime() + PATIENCE_NANOS;
        while (server.get("/api/v1/namespaces/" + namespace + "/serviceaccounts/default").isMissingNode()) {
            if (System.nanoTime() > end) {
                throw new IOException("namespace " + namespace + " got no account; does the controller manager run?");
            }
            Thread.sleep(100);
        }
    }

    private String namespaceOf(int pod) {
        return "crowd-" + pod % services % NAMESPACES;
    }

    private String path(int pod) {
        return "/api/v1/namespaces/" + namespaceOf(pod) + "/pods/deployment-" + pod % services + "-" + pod;
    }

    private Void service(int i) throws IOException, InterruptedException {
        create("/api/v1/namespaces/crowd-" + i % NAMESPACES + "/services", """
                {"apiVersion":"v1","kind":"Service","metadata":{"name":"service-%1$d"},
                 "spec":{"selector":{"app":"a%1$d"},"ports":[{"name":"http","port":80,"targetPort":8080}]}}""".formatted(i));
        return null;
    }

    private Void pod(int i) throws IOException, InterruptedException {
        create("/api/v1/namespaces/" + namespaceOf(i) + "/pods", """
                {"apiVersion":"v1","kind":"Pod",
                 "metadata":{"name":"deployment-%1$d-%2$d","labels":{"app":"a%1$d","version":"v0"},
                             "annotations":{"ambient.istio.io/redirection":"enabled"}},
                 "spec":{"nodeName":"crowd-node-%3$d","terminationGracePeriodSeconds":0,"enableServiceLinks":false,
                         "automountServiceAccountToken":false,"tolerations":[{"operator":"Exists"}],
                         "containers":[{"name":"c","image":"nobody/runs:this","ports":[{"containerPort":8080}]}]}}
                """.formatted(i % services, i, i % NODES));
        var ip = "198.18." + (128 + i / 250) + "." + (1 + i % 250);
        server.patch(path(i) + "/status", """
                {"status":{"phase":"Running","podIP":"%1$s","podIPs":[{"ip":"%1$s"}],
                           "conditions":[{"type":"Ready","status":"True"}]}}""".formatted(ip));
        return null;
    }

    private interface Step {
        Void take(int i) throws Exception;
    }

    private static void inParallel(String what, int count, Step step) throws Exception {
        var start = System.nanoTime();
        var done = new AtomicInteger();
        try (var threads = Executors.newFixedThreadPool(AT_ONCE)) {
            var all = new ArrayList<Future<Void>>();
            for (var i = 0; i < count; i++) {
                var number = i;
                Callable<Void> one = () -> {
                    step.take(number);
                    if (done.incrementAndGet() % STEP == 0) {
                        System.err.printf("%d of %d %s%n", done.get(), count, what);
                    }
                    return null;
                };
                all.add(threads.submit(one));
            }
            try {
                for (var one : all) {
                    one.get();
                }
            } catch (ExecutionException | InterruptedException failed) {
                threads.shutdownNow();
                throw failed;
            }
        }
        System.err.printf("%d %s written in %.1f s%n", count, what, (System.nanoTime() - start) / 1e9);
    }

    @Override
    public void change(int pod, String version) throws IOException, InterruptedException {
        server.patch(path(pod), "{\"metadata\":{\"labels\":{\"version\":\"" + version + "\"}}}");
    }

    @Override
    public Access access() throws IOException, InterruptedException, GeneralSecurityException {
        var end = System.nanoTime() + PATIENCE_NANOS;
        var root = "";
        while (root.isEmpty()) {
            root = server.get("/api/v1/namespaces/" + SYSTEM + "/configmaps/istio-ca-root-cert")
                    .path("data")
                    .path("root-cert.pem")
                    .asText();
            if (System.nanoTime() > end) {
                throw new IOException("the controller has not written the ConfigMap istio-ca-root-cert; see istiod.log");
            }
            Thread.sleep(50);
        }
        var token = server.create("/api/v1/namespaces/" + SYSTEM + "/serviceaccounts/ztunnel/token", """
                {"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",
                 "spec":{"audiences":["istio-ca"],"expirationSeconds":7200}}""");
        return new Access(root, token.path("status").path("token").asText(), SYSTEM);
    }

    /// Takes away everything, pods first: nobody else would end them.
    @Override
    public void close() throws Exception {
        System.err.println("taking the crowd away");
        for (var i = 0; i < NAMESPACES; i++) {
            server.delete("/api/v1/namespaces/crowd-" + i + "/pods?gracePeriodSeconds=0");
            server.delete("/api/v1/namespaces/crowd-" + i);
        }
        server.delete("/api/v1/namespaces/" + SYSTEM);
        for (var i = 0; i < NODES; i++) {
            server.delete("/api/v1/nodes/crowd-node-" + i);
        }
        var end = System.nanoTime() + PATIENCE_NANOS;
        while (isThere()) {
            if (System.nanoTime() > end) {
                throw new IOException("namespaces crowd-* are still being ended; does the controller manager run?");
            }
            Thread.sleep(500);
        }
    }

    private boolean isThere() throws IOException, InterruptedException {
        for (var i = 0; i < NAMESPACES; i++) {
            if (!server.get("/api/v1/namespaces/crowd-" + i).isMissingNode()) {
                return true;
            }
        }
        return !server.get("/api/v1/namespaces/" + SYSTEM).isMissingNode();
    }
}
