package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/// Clients from outside of the mesh, through a Gateway at its edge. Run as a part of [TrafficTest], on one installation
/// with it: each costs a minute.
abstract class IngressTest extends MeshWithShop {
    private static final String ASK = "curl -sk --resolve shop.example:443:%s https://shop.example/";

    IngressTest() throws Exception {}

    @Test
    void aCertificateIsReplacedWhileRequestsRunAndNoneFails() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.apply(shop.certificate(made()));
        cluster.apply(shop.door("server"));
        Await.until("the Gateway is programmed", () -> door("Programmed").equals("True"));
        var address = address("door-culvert");
        Await.until(
                "it answers in clear",
                () -> ask("curl -s -H 'Host: shop.example' http://" + address + "/")
                        .contains(word));
        cluster.apply(shop.onlyFrom("server", "door-culvert"));
        Await.until(
                "nobody else is served",
                () -> cluster.fetch(shop.namespace(), "web", server()).code() != 0);
        Await.until("it answers in TLS", () -> ask(ASK.formatted(address)).contains(word));

        var before = shown(address);
        try (var running = Executors.newSingleThreadExecutor()) {
            var enough = "/tmp/" + shop.namespace() + "-enough";
            var codes = running.submit(() -> ask("while [ ! -e " + enough + " ]; do " + ASK.formatted(address)
                    + " -o /dev/null -w '%{http_code} '; done"));
            try {
                cluster.apply(shop.certificate(made()));
                Await.until(
                        "the new certificate is shown", () -> !shown(address).equals(before));
            } finally {
                ask("touch " + enough);
            }
            assertThat(List.of(codes.get().strip().split(" "))).isNotEmpty().containsOnly("200");
            ask("rm " + enough);
        }

        cluster.client()
                .secrets()
                .inNamespace(shop.namespace())
                .withName("door")
                .delete();
        Await.until(
                "its author is told",
                () -> door("Programmed").equals("True") && listeners().contains("InvalidCertificateRef"));
        assertThat(ask(ASK.formatted(address) + " -w '%{http_code}'; true")).isEqualTo("000");
    }

    @Test
    void istiosOwnGatewayServesItsVirtualServices() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.apply(shop.gate("server", made()));
        cluster.apply(shop.onlyFrom("server", "sea-culvert"));
        Await.until("the Gateway's Service has the servers' ports", () -> ports().containsAll(List.of(80, 443, 9000)));
        var address = address("sea-culvert");
        Await.until("it answers in TLS", () -> ask(ASK.formatted(address)).contains(word));
        assertThat(ask("curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: shop.example' http://"
                        + address + "/a"))
                .isEqualTo("301 https://shop.example/a");
        assertThat(ask("curl -s http://" + address + ":9000/")).contains(word);
        assertThat(cluster.fetch(shop.namespace(), "web", server()).code()).isNotZero();
    }

    private List<Integer> ports() {
        var service = cluster.client()
                .services()
                .inNamespace(shop.namespace())
                .withName("sea-culvert")
                .get();
        return service == null
                ? List.of()
                : service.getSpec().getPorts().stream()
                        .map(port -> port.getPort())
                        .toList();
    }

    private String door(String condition) {
        return cluster.condition("Gateway", shop.namespace(), "door", condition);
    }

    private String listeners() {
        return String.valueOf(cluster.client()
                .genericKubernetesResources("gateway.networking.k8s.io/v1", "Gateway")
                .inNamespace(shop.namespace())
                .withName("door")
                .get()
                .getAdditionalProperties()
                .get("status"));
    }

    private String address(String service) {
        return cluster.client()
                .services()
                .inNamespace(shop.namespace())
                .withName(service)
                .get()
                .getSpec()
                .getClusterIP();
    }

    /// From the node, which is none of the mesh.
    private String ask(String words) throws Exception {
        return cluster.onNode(near, words);
    }

    private String shown(String address) throws Exception {
        return ask("openssl s_client -connect " + address
                + ":443 -servername shop.example </dev/null 2>/dev/null | openssl x509 -noout -fingerprint");
    }

    /// Certificate and key, each in base64.
    private List<String> made() throws Exception {
        var both = ask("d=$(mktemp -d) && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=shop.example"
                + " -keyout $d/k -out $d/c 2>/dev/null && base64 -w0 $d/c && echo && base64 -w0 $d/k; rm -r $d");
        return both.strip().lines().toList();
    }
}
