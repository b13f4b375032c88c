package dev.culvert.istiod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.CertificateClient;
import dev.culvert.proxy.xds.ControlPlane;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The server's certificate is for `localhost` and 127.0.0.1; it listens on every loopback address.
class ServerNameTest {
    @TempDir
    Path directory;

    private RunningServer server;

    @BeforeEach
    void start() throws Exception {
        server = new RunningServer(directory, new XdsServer(), (_, _, _) -> true, 0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1,''",
        "127.0.0.1,other.test",
        "127.0.0.2,localhost",
        "127.0.0.2,127.0.0.1",
        "127.0.0.2,LOCALHOST"
    })
    void theDialledNameOrTheSecondOneIsEnough(String host, String second) throws Exception {
        assertThat(fetch(host, second)).isEqualTo("spiffe://cluster.local/ns/shop/sa/cart");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.2,''", "127.0.0.2,other.test", "127.0.0.2,127.0.0.3", "127.0.0.2,a.localhost"})
    void anotherNameIsRefused(String host, String second) {
        assertThatThrownBy(() -> fetch(host, second)).isInstanceOf(IOException.class);
    }

    @Test
    void aSecondNameDoesNotReplaceTheChain() throws Exception {
        var good = plane("127.0.0.2", "localhost");
        var system = new ControlPlane(
                good.address(), "SYSTEM", good.authToken(), good.altHostname(), good.clusterId(), good.headers());
        try (var client = new CertificateClient(system, Duration.ofHours(1))) {
            assertThatThrownBy(() -> client.fetch(new SpiffeId("cluster.local", "shop", "cart")))
                    .isInstanceOf(IOException.class);
        }
    }

    private String fetch(String host, String second) throws Exception {
        try (var client = new CertificateClient(plane(host, second), Duration.ofHours(1))) {
            return client.fetch(new SpiffeId("cluster.local", "shop", "cart"))
                    .identity()
                    .toString();
        }
    }

    private ControlPlane plane(String host, String second) throws Exception {
        var as = server.as("node-1");
        return new ControlPlane(
                URI.create("https://" + host + ":" + server.port()),
                as.rootCa(),
                as.authToken(),
                second,
                as.clusterId(),
                as.headers());
    }
}
