package dev.culvert.e2e.kube.cluster;

import java.util.List;

/// Requests of a pod, one after the other, each on a connection of its own, until closed.
final class Requests implements AutoCloseable {
    private static final String ENOUGH = "/tmp/requests-enough";
    private static final String SAID = "/tmp/requests-said";
    private static final int SOME = 20;

    private final KubeCluster cluster;
    private final String namespace;
    private final String pod;

    Requests(KubeCluster cluster, String namespace, String pod, String url) throws Exception {
        this.cluster = cluster;
        this.namespace = namespace;
        this.pod = pod;
        run("rm -f " + ENOUGH + "; (while [ ! -e " + ENOUGH + " ]; do timeout 5 wget -q -O /dev/null " + url
                + " && echo ok || echo failed at $(date +%T); sleep 0.1; done) >" + SAID + " 2>&1 </dev/null &");
    }

    private String run(String words) throws Exception {
        return cluster.exec(namespace, pod, "sh", "-c", words).succeeded();
    }

    private List<String> said() throws Exception {
        return run("cat " + SAID).lines().toList();
    }

    /// Until some more have been answered, or not.
    void awaitMore() throws Exception {
        var before = said().size();
        Await.until("requests go on", () -> said().size() >= before + SOME);
    }

    /// Those that were not served, and what was said of that.
    List<String> failed() throws Exception {
        return said().stream().filter(line -> !line.equals("ok")).toList();
    }

    @Override
    public void close() {
        try {
            run("touch " + ENOUGH);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (Exception failed) {
            throw new IllegalStateException("the requests of " + namespace + "/" + pod + " go on", failed);
        }
    }
}
