package dev.culvert.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.ObjectSet;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the local engine writes is what the other programs read.
class ObjectFilesTest {
    @TempDir
    private Path directory;

    private ObjectSet read(Path folder) throws IOException {
        try (var source = FolderSource.open(new FolderSource.Where(List.of(folder), null, null), _ -> {})) {
            return source.current();
        }
    }

    @Test
    void servicesKeepEverythingThatTheUserWroteAndGetAnAddress() throws Exception {
        var folder = Files.createDirectory(directory.resolve("folder"));
        Files.writeString(folder.resolve("services.yaml"), """
                apiVersion: v1
                kind: Service
                metadata: {name: server, namespace: shop, labels: {app: "yes"}, annotations: {note: "on: 1"}}
                spec:
                  type: NodePort
                  selector: {app: server}
                  internalTrafficPolicy: Local
                  trafficDistribution: PreferClose
                  publishNotReadyAddresses: true
                  ports:
                  - {name: http, port: 80, targetPort: http, appProtocol: http2}
                  - {name: dns, port: 53, targetPort: 5353, protocol: UDP}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: each, namespace: shop}
                spec: {clusterIP: None, selector: {app: server}}
                """);
        var written = read(folder).services();
        assertThat(written).hasSize(2);
        var services = new ServiceTable();
        services.services(written);
        var files = new ObjectFiles(directory.resolve("objects"));
        for (var entry : services.entries()) {
            files.service(entry);
        }
        var back = read(directory.resolve("objects"));
        assertThat(back.problems()).isEmpty();
        assertThat(back.services())
                .usingRecursiveComparison()
                .ignoringFields("place", "addresses", "ipFamilies")
                .isEqualTo(written);
        assertThat(back.services().getFirst().addresses()).isEmpty();
        assertThat(back.services().getLast().addresses())
                .hasSize(2)
                .contains(
                        InetAddress.ofLiteral(services.entries().getLast().vip().v4()));

        files.retainServices(List.of());
        assertThat(read(directory.resolve("objects")).objects()).isEmpty();
    }
}
