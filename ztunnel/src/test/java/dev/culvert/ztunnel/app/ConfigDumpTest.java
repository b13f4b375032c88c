package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.ca.CertificateStore.Status;
import dev.culvert.proxy.ca.TestAuthority;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.relay.LiveConnection.Description;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The parts of the dump that a running proxy fills, to the byte; and what a big one costs.
class ConfigDumpTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");
    private static final SpiffeId LATE = new SpiffeId("cluster.local", "shop", "late");
    private static final SpiffeId REFUSED = new SpiffeId("cluster.local", "shop", "refused");

    private static String text(MeshSnapshot mesh, List<Status> certificates, List<ConfigDump.PodView> pods)
            throws IOException {
        var out = new ByteArrayOutputStream();
        dump(mesh, certificates, pods).writeTo(out);
        return out.toString(StandardCharsets.UTF_8);
    }

    private static ConfigDump dump(MeshSnapshot mesh, List<Status> certificates, List<ConfigDump.PodView> pods) {
        var empty = JsonNodeFactory.instance.objectNode();
        return new ConfigDump(
                mesh, certificates, pods, CONNECTIONS, new ConfigDump.Settings(empty, empty.deepCopy()), null);
    }

    private static InetSocketAddress at(String ip, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), port);
    }

    private static final List<Description> CONNECTIONS = List.of(
            new Description("u1", true, at("10.8.9.3", 40112), null, at("10.8.1.17", 8080), "TCP"),
            new Description("u1", true, at("fd00::9", 40113), "prices.example", at("fd00::17", 8080), "HBONE"),
            new Description("u1", false, at("10.8.1.17", 51022), "10.96.4.20:80", at("10.8.2.40", 15008), "HBONE"),
            new Description("u2", false, at("10.8.1.18", 1), "10.96.4.21:80", at("10.9.0.1", 15443), "DOUBLEHBONE"));

    private static ConfigDump.PodView pod(String uid, boolean up) {
        return new ConfigDump.PodView(new PodId(uid, "shop", "cart-" + uid, "cart"), up);
    }

    @Test
    void certificatesAreSortedAndHaveTheirState() throws Exception {
        var held = new TestAuthority().fetch(CART);
        var leaf = held.chain().getFirst();
        var root = held.roots().getFirst();
        var dump = text(
                MeshSnapshot.EMPTY,
                List.of(
                        new Status(REFUSED, "Unavailable: UNAUTHENTICATED", null),
                        new Status(LATE, "Initializing", null),
                        new Status(CART, "Available", held)),
                List.of());
        assertThat(dump).startsWith("""
                {
                  "certificates": [
                    {
                      "certChain": [
                %s
                      ],
                      "identity": "spiffe://cluster.local/ns/shop/sa/cart",
                      "rootCerts": [
                %s
                      ],
                      "state": "Available"
                    },
                    {
                      "certChain": [],
                      "identity": "spiffe://cluster.local/ns/shop/sa/late",
                      "rootCerts": [],
                      "state": "Initializing"
                    },
                    {
                      "certChain": [],
                      "identity": "spiffe://cluster.local/ns/shop/sa/refused",
                      "rootCerts": [],
                      "state": "Unavailable: UNAUTHENTICATED"
                    }
                  ],
                  "config": {},
                """.formatted(item(leaf), item(root)));
    }

    /// Base64 of the PEM text, the serial number in decimal, times to the second.
    private static String item(X509Certificate certificate) throws Exception {
        var lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded());
        var pem = "-----BEGIN CERTIFICATE-----\n" + lines + "\n-----END CERTIFICATE-----\n";
        return """
                        {
                          "expirationTime": "%s",
                          "pem": "%s",
                          "serialNumber": "%s",
                          "validFrom": "%s"
                        }""".formatted(
                        certificate.getNotAfter().toInstant(),
                        Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII)),
                        certificate.getSerialNumber().toString(10),
                        certificate.getNotBefore().toInstant())
                .indent(8)
                .stripTrailing();
    }

    @Test
    void intermediatesFollowTheLeafAndRootsStandApart() throws Exception {
        var one = new TestAuthority().fetch(CART);
        var other = new TestAuthority().fetch(CART);
        var all = new WorkloadCertificate(
                CART,
                one.key(),
                List.of(one.chain().getFirst(), other.roots().getFirst()),
                List.of(one.roots().getFirst(), other.roots().getFirst()));
        var json = new ObjectMapper()
                .readTree(text(MeshSnapshot.EMPTY, List.of(new Status(CART, "Available", all)), List.of()))
                .at("/certificates/0");
        assertThat(json.at("/certChain/0/serialNumber").asText())
                .isEqualTo(one.chain().getFirst().getSerialNumber().toString());
        assertThat(json.path("certChain")).hasSize(2);
        assertThat(json.path("rootCerts")).hasSize(2);
    }

    @Test
    void connectionsAreThoseOfEachPodAndPendingPodsHaveNone() throws Exception {
        assertThat(text(MeshSnapshot.EMPTY, List.of(), List.of(pod("u3", true), pod("u4", false), pod("u1", true))))
                .endsWith("""
                          "version": {},
                          "workloadState": {
                            "u1": {
                              "connections": {
                                "inbound": [
                                  {
                                    "actualDst": "10.8.1.17:8080",
                                    "originalDst": null,
                                    "protocol": "TCP",
                                    "src": "10.8.9.3:40112"
                                  },
                                  {
                                    "actualDst": "[fd00::17]:8080",
                                    "originalDst": "prices.example",
                                    "protocol": "HBONE",
                                    "src": "[fd00::9]:40113"
                                  }
                                ],
                                "outbound": [
                                  {
                                    "actualDst": "10.8.2.40:15008",
                                    "originalDst": "10.96.4.20:80",
                                    "protocol": "HBONE",
                                    "src": "10.8.1.17:51022"
                                  }
                                ]
                              },
                              "info": {
                                "name": "cart-u1",
                                "namespace": "shop",
                                "serviceAccount": "cart"
                              },
                              "state": "Up"
                            },
                            "u3": {
                              "connections": {
                                "inbound": [],
                                "outbound": []
                              },
                              "info": {
                                "name": "cart-u3",
                                "namespace": "shop",
                                "serviceAccount": "cart"
                              },
                              "state": "Up"
                            },
                            "u4": {
                              "info": {
                                "name": "cart-u4",
                                "namespace": "shop",
                                "serviceAccount": "cart"
                              },
                              "state": "Pending"
                            }
                          },
                          "workloads": []
                        }
                        """);
    }

    /// An endpoint that may not be chosen is none, unless the service takes all; without a service it waits aside.
    @Test
    void endpointsAreThoseThatMayBeChosen() throws Exception {
        var mesh = mesh("""
                workloads:
                - {uid: good, workloadIps: [], namespace: shop, services: {shop/a.example: {80: 1}, shop/all.example: {}, shop/none.example: {80: 2}}}
                - {uid: ill, status: Unhealthy, workloadIps: [], namespace: shop, services: {shop/a.example: {80: 1}, shop/all.example: {}}}
                services:
                - {name: a, namespace: shop, hostname: a.example, vips: [], ports: {80: 0}}
                - {name: all, namespace: shop, hostname: all.example, vips: [], ports: {}, loadBalancer: {healthPolicy: AllowAll}}
                """);
        var json = new ObjectMapper().readTree(text(mesh, List.of(), List.of()));
        assertThat(json.at("/services/0/endpoints"))
                .hasToString("{\"good\":" + "{\"port\":{\"80\":1},\"status\":\"Healthy\",\"workloadUid\":\"good\"}}");
        assertThat(json.at("/services/1/endpoints/ill/status").asText()).isEqualTo("Unhealthy");
        assertThat(json.at("/stagedServices"))
                .hasToString("{\"shop/none.example\":{\"good\":"
                        + "{\"port\":{\"80\":2},\"status\":\"Healthy\",\"workloadUid\":\"good\"}}}");
    }

    private static MeshSnapshot mesh(String yaml) throws IOException {
        return MeshSnapshot.EMPTY.with(
                LocalMesh.read(LocalMesh.Source.text(yaml)).changes());
    }

    /// Each optional field of a service and of a workload, in the letter of Istio's dump.
    @Test
    void optionalFieldsAreThereIfTheyAreSet() throws Exception {
        var json = new ObjectMapper().readTree(text(mesh("""
                workloads:
                - {uid: w, workloadIps: [], namespace: shop, services: {}, networkMode: HostNetwork, nativeTunnel: true,
                   waypoint: {destination: shop/wp.example, hboneMtlsPort: 15008}, hostname: w.example, network: n1,
                   networkGateway: {destination: n2/10.0.0.1, hboneMtlsPort: 15443}, locality: {region: r, zone: z},
                   applicationTunnel: {protocol: PROXY, port: 15088}}
                services:
                - {name: a, namespace: shop, hostname: a.example, vips: [n1/10.0.0.2], ports: {80: 8080}, ipFamilies: Dual,
                   cidrVips: [{network: n1, cidr: 10.1.0.0/16}], canonical: true, visibility: Namespace,
                   waypoint: {destination: n1/10.0.0.3, hboneMtlsPort: 15008},
                   weightedWaypoints: [{destination: {destination: shop/wp.example, hboneMtlsPort: 15008}, weight: 3}],
                   loadBalancer: {routingPreferences: [Network, Subzone], mode: Strict, healthPolicy: AllowAll}}
                """), List.of(), List.of()));
        assertThat(json.at("/workloads/0"))
                .hasToString("{\"applicationTunnel\":{\"port\":15088,\"protocol\":\"PROXY\"},\"capacity\":1,"
                        + "\"clusterId\":\"\",\"hostname\":\"w.example\","
                        + "\"locality\":{\"region\":\"r\",\"subzone\":\"\",\"zone\":\"z\"},"
                        + "\"name\":\"\",\"namespace\":\"shop\",\"nativeTunnel\":true,\"network\":\"n1\","
                        + "\"networkGateway\":{\"destination\":\"n2/10.0.0.1\",\"hboneMtlsPort\":15443},"
                        + "\"networkMode\":\"HostNetwork\",\"protocol\":\"TCP\",\"serviceAccount\":\"default\","
                        + "\"status\":\"Healthy\",\"trustDomain\":\"cluster.local\",\"uid\":\"w\","
                        + "\"waypoint\":{\"destination\":\"shop/wp.example\",\"hboneMtlsPort\":15008},"
                        + "\"workloadIps\":[]}");
        assertThat(json.at("/services/0"))
                .hasToString("{\"canonical\":true,\"cidrVips\":[{\"cidr\":\"10.1.0.0/16\",\"network\":\"n1\"}],"
                        + "\"endpoints\":{},\"hostname\":\"a.example\",\"ipFamilies\":\"Dual\","
                        + "\"loadBalancer\":{\"healthPolicy\":\"AllowAll\",\"mode\":\"Strict\","
                        + "\"routingPreferences\":[\"Network\",\"Subzone\"]},\"name\":\"a\",\"namespace\":\"shop\","
                        + "\"ports\":{\"80\":8080},\"subjectAltNames\":[],\"vips\":[\"n1/10.0.0.2\"],"
                        + "\"visibility\":\"Namespace\",\"waypoint\":{\"destination\":\"n1/10.0.0.3\","
                        + "\"hboneMtlsPort\":15008},\"weightedWaypoints\":[{\"destination\":{\"destination\":"
                        + "\"shop/wp.example\",\"hboneMtlsPort\":15008},\"weight\":3}]}");
    }

    /// Item after item: what is in the heap while it is written does not grow with what has been written.
    @Test
    void aBigMeshIsWrittenInLittleMemory() throws Exception {
        var changes = new ArrayList<Change>();
        var service = new NamespacedHostname("shop", "prices.example");
        var like = LocalMesh.read(
                        LocalMesh.Source.text("workloads: [{workloadIps: [10.0.0.1], namespace: n, services: {}}]"))
                .workloads()
                .getFirst();
        for (var i = 0; i < 10_000; i++) {
            changes.add(new Change.PutWorkload(new Workload(
                    "c1//Pod/shop/prices-" + i,
                    like.place(),
                    like.names(),
                    like.addresses(),
                    like.tunnel(),
                    List.of(),
                    true,
                    "",
                    i < 100 ? Map.of(service, Map.of(80, 8080)) : Map.of(),
                    1)));
        }
        var dump = dump(MeshSnapshot.EMPTY.with(changes), List.of(), List.of());
        var heap = new Heap();
        dump.writeTo(heap);
        assertThat(heap.written).isGreaterThan(3_000_000);
        assertThat(heap.most - heap.first).isLessThan(1_500_000);
    }

    /// Looks, each 500,000 bytes, what the heap holds.
    private static final class Heap extends OutputStream {
        private long written;
        private long next;
        private long first;
        private long most;

        @Override
        public void write(int b) {
            count(1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count(length);
        }

        private void count(int length) {
            written += length;
            if (written >= next) {
                next = written + 500_000;
                System.gc();
                var used = Runtime.getRuntime().totalMemory()
                        - Runtime.getRuntime().freeMemory();
                first = first == 0 ? used : first;
                most = Math.max(most, used);
            }
        }
    }
}
