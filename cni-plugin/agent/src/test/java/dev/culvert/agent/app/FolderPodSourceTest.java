package dev.culvert.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.pods.PodView;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderPodSourceTest {
    private static final String POD = """
            kind: Pod
            metadata:
              name: web
              namespace: shop
              uid: u1
              labels: {app: web}
              annotations: {culvert.dev/netns: /run/netns/web}
            spec: {nodeName: node-1, serviceAccountName: web}
            status: {phase: Running, podIP: 198.18.65.3, podIPs: [{ip: 198.18.65.3}, {ip: "2001:2:0:41::3"}]}
            """;

    @TempDir
    Path directory;

    @Test
    void podsOfThisNodeAreToldWithTheLabelsOfTheirNamespaceAndAgainAfterAChange() throws Exception {
        var objects = Files.createDirectories(directory.resolve("objects"));
        var config = Files.createDirectories(directory.resolve("config"));
        Files.writeString(objects.resolve("pod-web.yaml"), POD);
        Files.writeString(
                objects.resolve("pod-else.yaml"), POD.replace("u1", "u2").replace("node-1", "node-2"));
        Files.writeString(config.resolve("ns.yaml"), "kind: Namespace\nmetadata: {name: shop}\n");
        BlockingQueue<List<PodView>> told = new ArrayBlockingQueue<>(10);
        try (var source = new FolderPodSource(List.of(config, objects), "node-1")) {
            source.start(told::add);
            var pod = told.remove().getFirst();
            assertThat(pod.uid()).isEqualTo("u1");
            assertThat(pod.serviceAccount()).isEqualTo("web");
            assertThat(pod.ips())
                    .containsExactly(InetAddress.getByName("198.18.65.3"), InetAddress.getByName("2001:2:0:41::3"));
            assertThat(pod.netns()).isEqualTo(Optional.of(Path.of("/run/netns/web")));
            assertThat(pod.namespaceLabels()).isEmpty();

            Files.writeString(
                    config.resolve("ns.yaml"),
                    "kind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n");
            var labelled = told.poll(5, TimeUnit.SECONDS);
            assertThat(labelled).isNotNull();
            assertThat(labelled.getFirst().namespaceLabels()).containsEntry("istio.io/dataplane-mode", "ambient");
        }
    }

    @Test
    void whatAFileLastSaidStandsWhileItIsBroken() throws Exception {
        Files.writeString(directory.resolve("pod.yaml"), POD);
        BlockingQueue<List<PodView>> told = new ArrayBlockingQueue<>(10);
        try (var source = new FolderPodSource(List.of(directory), "node-1")) {
            source.start(told::add);
            assertThat(told.remove()).hasSize(1);
            Files.writeString(directory.resolve("pod.yaml"), "kind: [");
            assertThat(told.poll(5, TimeUnit.SECONDS)).hasSize(1);
            Files.delete(directory.resolve("pod.yaml"));
            assertThat(told.poll(5, TimeUnit.SECONDS)).isEmpty();
        }
    }
}
