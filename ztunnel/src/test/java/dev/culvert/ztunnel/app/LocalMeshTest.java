package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalMeshTest {
    /// Every key there is, none with its default.
    private static final String ALL = """
            workloads:
            - workloadIps: [198.18.0.2, "fd00::2"]
              waypoint: {destination: shop/waypoint.shop.svc.cluster.local, hboneMtlsPort: 15008}
              networkGateway: {destination: net2/198.18.9.1, hboneMtlsPort: 15443}
              protocol: HBONE
              networkMode: HostNetwork
              uid: c1//Pod/shop/b
              name: b
              namespace: shop
              trustDomain: td
              serviceAccount: sb
              network: net1
              workloadName: wb
              workloadType: deployment
              canonicalName: cb
              canonicalRevision: v2
              hostname: b.example
              node: n1
              nativeTunnel: true
              applicationTunnel: {protocol: PROXY, port: 9090}
              authorizationPolicies: [shop/p]
              status: Unhealthy
              clusterId: c1
              locality: {region: r, zone: z, subzone: s}
              services: {shop/prices.shop.svc.cluster.local: {80: 8080}}
              capacity: 7
            services:
            - name: prices
              namespace: shop
              hostname: prices.shop.svc.cluster.local
              vips: [net1/198.18.4.20, "/fd00::20"]
              cidrVips: [{network: net1, cidr: 198.18.64.0/20}]
              ports: {80: 8080, 81: 0}
              subjectAltNames: [spiffe://td/ns/shop/sa/other]
              waypoint: {destination: /198.18.9.2, hboneMtlsPort: 15009}
              weightedWaypoints: [{destination: {destination: shop/canary.example, hboneMtlsPort: 15008}, weight: 5}]
              loadBalancer: {routingPreferences: [Network, Region, Zone, Subzone, Node, Cluster], mode: Failover, healthPolicy: AllowAll}
              ipFamilies: Dual
              canonical: true
              visibility: Namespace
            policies:
            - name: p
              namespace: shop
              scope: WorkloadSelector
              action: Allow
              dryRun: true
              rules:
              - - - namespaces: [!Exact shop]
                    notNamespaces: [!Prefix sh]
                    principals: [!Suffix /sa/x, !Presence []]
                    notPrincipals: [{Exact: y}]
                    sourceIps: [198.18.0.0/16]
                    notSourceIps: [198.18.1.1]
                    destinationIps: ["fd00::/8"]
                    notDestinationIps: ["fd00::1/128"]
                    destinationPorts: [80]
                    notDestinationPorts: [81]
                    serviceAccounts: [{namespace: shop, serviceAccount: x}]
                    notServiceAccounts: [{namespace: shop, serviceAccount: y}]
            """;

    private static LocalMesh read(String yaml) throws IOException {
        return LocalMesh.read(LocalMesh.Source.text(yaml));
    }

    @Test
    void everyKeyOfAWorkloadIsRead() throws Exception {
        var workload = read(ALL).workloads().getFirst();

        assertThat(workload.addresses()).extracting(Addresses::text).containsExactly("198.18.0.2", "fd00::2");
        assertThat(workload.waypoint()).contains(byName("shop", "waypoint.shop.svc.cluster.local", 15008));
        assertThat(workload.tunnel().networkGateway()).isEqualTo(byAddress("net2", "198.18.9.1", 15443));
        assertThat(workload.tunnel().application())
                .isEqualTo(new ApplicationTunnel(ApplicationTunnel.Protocol.PROXY, 9090));
        assertThat(workload.speaksHbone()).isTrue();
        assertThat(workload.tunnel().nativeTunnel()).isTrue();
        assertThat(workload.place())
                .hasToString("Place[network=net1, clusterId=c1, node=n1, locality=" + new Locality("r", "z", "s")
                        + ", hostNetwork=true]");
        assertThat(workload.names())
                .hasToString("Names[name=b, namespace=shop, trustDomain=td, serviceAccount=sb, canonicalName=cb,"
                        + " canonicalRevision=v2, workloadName=wb, type=deployment]");
        assertThat(workload.uid()).isEqualTo("c1//Pod/shop/b");
        assertThat(workload.hostname()).isEqualTo("b.example");
        assertThat(workload.healthy()).isFalse();
        assertThat(workload.capacity()).isEqualTo(7);
        assertThat(workload.authorizationPolicies()).containsExactly("shop/p");
        assertThat(workload.services())
                .containsExactly(
                        Map.entry(new NamespacedHostname("shop", "prices.shop.svc.cluster.local"), Map.of(80, 8080)));
    }

    @Test
    void everyKeyOfAServiceIsRead() throws Exception {
        var ip = Addresses.parse("198.18.64.0").orElseThrow();
        assertThat(read(ALL).services())
                .containsExactly(new Service(
                        "prices",
                        new NamespacedHostname("shop", "prices.shop.svc.cluster.local"),
                        List.of(
                                new NetworkAddress(
                                        "net1", Addresses.parse("198.18.4.20").orElseThrow()),
                                new NetworkAddress(
                                        "", Addresses.parse("fd00::20").orElseThrow())),
                        List.of(new Service.CidrVip("net1", new Cidr(ip, 20))),
                        Map.of(80, 8080, 81, 0),
                        List.of("spiffe://td/ns/shop/sa/other"),
                        byAddress("", "198.18.9.2", 15009),
                        List.of(new Service.WeightedWaypoint(byName("shop", "canary.example", 15008), 5)),
                        new LoadBalancing(
                                List.of(
                                        LoadBalancing.Scope.NETWORK,
                                        LoadBalancing.Scope.REGION,
                                        LoadBalancing.Scope.ZONE,
                                        LoadBalancing.Scope.SUBZONE,
                                        LoadBalancing.Scope.NODE,
                                        LoadBalancing.Scope.CLUSTER),
                                LoadBalancing.Mode.FAILOVER,
                                LoadBalancing.HealthPolicy.ALLOW_ALL),
                        Service.IpFamilies.DUAL,
                        true,
                        true));
    }

    @Test
    void matchesAreReadByTagAsIstioWritesThemAndByKeyAsTheDumpDoes() throws Exception {
        var policy = read(ALL).policies().getFirst();

        assertThat(policy.key()).isEqualTo("shop/p");
        assertThat(policy.dryRun()).isTrue();
        var match = policy.rules().getFirst().getFirst().getFirst();
        assertThat(match.namespaces().any()).containsExactly(new StringMatch.Exact("shop"));
        assertThat(match.namespaces().none()).containsExactly(new StringMatch.Prefix("sh"));
        assertThat(match.principals().any())
                .containsExactly(new StringMatch.Suffix("/sa/x"), new StringMatch.Presence());
        assertThat(match.principals().none()).containsExactly(new StringMatch.Exact("y"));
        assertThat(match.sourceIps().any()).hasToString("[198.18.0.0/16]");
        assertThat(match.sourceIps().none()).hasToString("[198.18.1.1/32]");
        assertThat(match.destinationIps().any()).hasToString("[fd00::/8]");
        assertThat(match.destinationPorts().none()).containsExactly(81);
        assertThat(match.serviceAccounts().none()).hasToString("[ServiceAccount[namespace=shop, name=y]]");
    }

    /// What `staticConfig` of the dump shows can be given to a proxy again.
    @Test
    void theDumpOfAFileIsSuchAFile() throws Exception {
        var mesh = read(ALL);
        var json = new ObjectMapper().writeValueAsString(mesh.json());

        assertThat(read(json)).isEqualTo(mesh);
        assertThat(json)
                .contains("\"services\":{\"shop/prices.shop.svc.cluster.local\":{\"80\":8080}}")
                .contains("\"endpoints\":{}");
    }

    @Test
    void theLeastOfEachIsEnough() throws Exception {
        var mesh = read("""
                workloads: [{workloadIps: [], namespace: shop, services: {}}]
                services: [{name: a, namespace: shop, hostname: a.example, vips: [], ports: {}}]
                policies: [{name: p, namespace: shop, scope: Global, action: Deny, rules: [], dryRun: false}]
                """);
        assertThat(mesh.workloads().getFirst().capacity()).isEqualTo(1);
        assertThat(mesh.workloads().getFirst().place().clusterId()).isEmpty();
        assertThat(mesh.services().getFirst().loadBalancing()).isEqualTo(LoadBalancing.STANDARD);
        assertThat(mesh.policies()).hasSize(1);
        assertThat(read("")).isEqualTo(new LocalMesh(List.of(), List.of(), List.of()));
    }

    @Test
    void aServiceMayNameItsEndpoints() throws Exception {
        var mesh = MeshSnapshot.EMPTY.with(read("""
                workloads: [{uid: u, workloadIps: [198.18.0.2], namespace: shop, services: {}}]
                services:
                - {name: a, namespace: shop, hostname: a.example, vips: [], ports: {80: 0},
                   endpoints: {u: {workloadUid: u, port: {80: 8080}, status: Healthy}}}
                """).changes());
        assertThat(mesh.endpoints(new NamespacedHostname("shop", "a.example")))
                .hasSize(1)
                .hasEntrySatisfying(
                        "u", endpoint -> assertThat(endpoint.ports()).containsEntry(80, 8080));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "workload: []|LOCAL_XDS: the file: unknown key 'workload'; known: [policies, services, workloads]",
                "workloads: {}|LOCAL_XDS: the file: 'workloads' is not a list: {}",
                "workloads: [{name: a, namespace: n, services: {}}]|LOCAL_XDS: workloads[0] 'a': key 'workloadIps' is missing",
                "workloads: [{workloadIps: [], services: {}}]|LOCAL_XDS: workloads[0]: key 'namespace' is missing",
                "workloads: [{workloadIps: [], namespace: n}]|LOCAL_XDS: workloads[0]: key 'services' is missing",
                "workloads: [{workloadIps: [x], namespace: n, services: {}}]|LOCAL_XDS: workloads[0]: not an address: 'x'",
                "workloads: [{workloadIps: [], namespace: n, services: {}, protocol: HBONE}]|"
                        + "LOCAL_XDS: workloads[0]: key 'trustDomain' is missing",
                "workloads: [{workloadIps: [], namespace: n, services: {}, protocol: QUIC}]|"
                        + "LOCAL_XDS: workloads[0]: 'protocol' is \"QUIC\", expected one of [HBONE, TCP]",
                "workloads: [{workloadIps: [], namespace: n, services: {}, waypoint: {destination: a/b}}]|"
                        + "LOCAL_XDS: workloads[0], 'waypoint': key 'hboneMtlsPort' is missing",
                "workloads: [{workloadIps: [], namespace: n, services: {a/b: {80: 70000}}}]|"
                        + "LOCAL_XDS: workloads[0], 'services': not a port: '70000'",
                "workloads: [{workloadIps: [], namespace: n, services: {}, capacity: -1}]|"
                        + "LOCAL_XDS: workloads[0]: 'capacity' is not a number from 0 to 2147483647: -1",
                "services: [{name: a, namespace: n, hostname: h, ports: {}}]|LOCAL_XDS: services[0] 'a': key 'vips' is missing",
                "services: [{name: a, namespace: n, hostname: h, ports: {}, vips: [1.2.3.4]}]|"
                        + "LOCAL_XDS: services[0] 'a': not network/address: '1.2.3.4'",
                "policies: [{name: p, namespace: n, scope: Global, action: Deny, rules: []}]|"
                        + "LOCAL_XDS: policies[0] 'p': key 'dryRun' is missing",
                "policies: [{name: p, namespace: n, scope: Global, action: Deny, dryRun: false, rules: [[{}]]}]|"
                        + "LOCAL_XDS: policies[0] 'p': 'rules' are three nested lists (rule, clause, match), found: {}",
                "policies: [{name: p, namespace: n, scope: Global, action: Deny, dryRun: false, rules: [[[{port: [1]}]]]}]|"
                        + "LOCAL_XDS: policies[0] 'p', a match: unknown key 'port'",
                "policies: [{name: p, namespace: n, scope: Global, action: Deny, dryRun: false, rules: [[[{principals: [x]}]]]}]|"
                        + "LOCAL_XDS: policies[0] 'p', a match: 'principals' has \"x\", expected !Exact x",
            })
    void aMistakeIsNamedWithItsPlace(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml)).isInstanceOf(IOException.class).hasMessageStartingWith(message);
    }

    private static GatewayAddress byName(String namespace, String hostname, int port) {
        return new GatewayAddress(new GatewayAddress.ByHostname(new NamespacedHostname(namespace, hostname)), port);
    }

    private static GatewayAddress byAddress(String network, String ip, int port) {
        var address = new NetworkAddress(network, Addresses.parse(ip).orElseThrow());
        return new GatewayAddress(new GatewayAddress.ByAddress(address), port);
    }
}
