package dev.culvert.ztunnel.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.LoadBalancing.HealthPolicy;
import dev.culvert.mesh.model.workload.LoadBalancing.Mode;
import dev.culvert.mesh.model.workload.LoadBalancing.Scope;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.TunnelProtocol;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Where a connection goes, by Istio's rules. The client is `shop/client` on node n1 of zone z1, region r1, network "".
class RouterTest {
    private static final String VIP = "198.19.0.1";
    private static final int PORT = 80;
    private static final NamespacedHostname SHOP = new NamespacedHostname("shop", "shop.example");
    private static final NamespacedHostname WAYPOINT = new NamespacedHostname("shop", "waypoint.example");
    private static final Workload CLIENT = new Pod("client").at("198.18.1.1").build();

    /// A workload in the making.
    private static final class Pod {
        private final String name;
        private final List<InetAddress> addresses = new ArrayList<>();
        private final Map<NamespacedHostname, Map<Integer, Integer>> services =
                new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
        private Workload.Place place = new Workload.Place("", "c1", "n1", new Locality("r1", "z1", "s1"), false);
        private Workload.Tunnel tunnel = Workload.Tunnel.HBONE;
        private String account;
        private boolean healthy = true;
        private int capacity = 1;

        Pod(String name) {
            this.name = name;
            this.account = name;
        }

        Pod at(String... ips) {
            Arrays.stream(ips).map(InetAddress::ofLiteral).forEach(addresses::add);
            return this;
        }

        Pod of(NamespacedHostname service, int port, int target) {
            services.put(service, target == 0 ? Map.of() : Map.of(port, target));
            return this;
        }

        Pod account(String of) {
            account = of;
            return this;
        }

        Pod in(String network, String cluster, String node, String locality) {
            var parts = locality.split("/", -1);
            place = new Workload.Place(network, cluster, node, new Locality(parts[0], parts[1], parts[2]), false);
            return this;
        }

        Pod tunnel(UnaryOperator<Workload.Tunnel> change) {
            tunnel = change.apply(tunnel);
            return this;
        }

        Pod plain() {
            return tunnel(_ -> Workload.Tunnel.PLAIN);
        }

        Pod unhealthy() {
            healthy = false;
            return this;
        }

        Pod capacity(int its) {
            capacity = its;
            return this;
        }

        Workload build() {
            return new Workload(
                    name,
                    place,
                    new Workload.Names(name, "shop", "cluster.local", account, name, "", name, "pod"),
                    addresses,
                    tunnel,
                    List.of(),
                    healthy,
                    "",
                    services,
                    capacity);
        }
    }

    private static Change pod(Pod pod) {
        return new Change.PutWorkload(pod.build());
    }

    private static Pod endpoint(String name, int last) {
        return new Pod(name).at("198.18.0." + last).of(SHOP, PORT, 8080);
    }

    private static Change service(LoadBalancing balancing, @Nullable GatewayAddress waypoint, String... sans) {
        return service(SHOP, VIP, Map.of(PORT, 0, 90, 9090), balancing, waypoint, sans);
    }

    private static Change service(
            NamespacedHostname key,
            String vip,
            Map<Integer, Integer> ports,
            LoadBalancing balancing,
            @Nullable GatewayAddress waypoint,
            String... sans) {
        return new Change.PutService(new Service(
                key.hostname(),
                key,
                List.of(new NetworkAddress("", InetAddress.ofLiteral(vip))),
                List.of(),
                ports,
                List.of(sans),
                waypoint,
                List.of(),
                balancing,
                Service.IpFamilies.AUTOMATIC,
                false,
                false));
    }

    private static Change waypointService() {
        return service(WAYPOINT, "198.19.0.9", Map.of(15008, 15008), LoadBalancing.STANDARD, null, WAYPOINT_SAN);
    }

    private static final String WAYPOINT_SAN = "spiffe://cluster.local/ns/shop/sa/other-waypoint";
    private static final GatewayAddress BY_NAME = new GatewayAddress(new GatewayAddress.ByHostname(WAYPOINT), 15008);

    private static LoadBalancing balancing(Mode mode, Scope... scopes) {
        return new LoadBalancing(List.of(scopes), mode, HealthPolicy.ONLY_HEALTHY);
    }

    private static Route route(String ip, int port, Change... changes) {
        return route(CLIENT, ip, port, changes);
    }

    private static Route route(Workload client, String ip, int port, Change... changes) {
        return new Router(MeshSnapshot.EMPTY.with(List.of(changes)), client, Set.of(), new Random(1))
                .route(new InetSocketAddress(InetAddress.ofLiteral(ip), port));
    }

    private static Set<SpiffeId> ids(String... accounts) {
        return Set.copyOf(Arrays.stream(accounts)
                .map(account -> new SpiffeId("cluster.local", "shop", account))
                .toList());
    }

    /// Where a connection to the VIP may go, over many throws.
    private static Set<String> chosen(Change... changes) {
        return chosen(PORT, changes).keySet();
    }

    private static Map<String, Integer> chosen(int port, Change... changes) {
        var mesh = MeshSnapshot.EMPTY.with(List.of(changes));
        var random = new Random(7);
        var hits = new TreeMap<String, Integer>();
        for (var i = 0; i < 300; i++) {
            var route = new Router(mesh, CLIENT, Set.of(), random)
                    .route(new InetSocketAddress(InetAddress.ofLiteral(VIP), port));
            var workload = route.about().workload();
            hits.merge(
                    route instanceof Route.Refused || workload == null ? "refused" : workload.name(), 1, Integer::sum);
        }
        return hits;
    }

    @Test
    void whatTheMeshDoesNotKnowIsPassedOnAsDialled() {
        assertThat(route("203.0.113.1", 443))
                .isInstanceOfSatisfying(
                        Route.Plain.class, plain -> assertThat(plain.to()).hasToString("/203.0.113.1:443"));
    }

    @Test
    void aPodIsReachedOnItsHbonePortByItsAddressAndPort() {
        var route = (Route.Hbone) route("198.18.0.2", 7070, pod(new Pod("server").at("198.18.0.2")));
        assertThat(route.nextHop()).hasToString("/198.18.0.2:15008");
        assertThat(route.authority()).hasToString("198.18.0.2:7070");
        assertThat(route.acceptedPeers()).isEqualTo(ids("server"));
        assertThat(route(
                        "198.18.0.2",
                        7070,
                        pod(new Pod("server").at("198.18.0.2").plain())))
                .isInstanceOfSatisfying(
                        Route.Plain.class, plain -> assertThat(plain.to()).hasToString("/198.18.0.2:7070"));
    }

    @Test
    void aPortThatThePodKeepsOutOfTheMeshIsReachedInClear() {
        var server = pod(endpoint("server", 2)
                .tunnel(_ -> new Workload.Tunnel(TunnelProtocol.HBONE, false, null, null, null, Set.of(8080))));
        assertThat(route(VIP, PORT, service(LoadBalancing.STANDARD, null), server))
                .isInstanceOfSatisfying(Route.Plain.class, plain -> {
                    assertThat(plain.to()).hasToString("/198.18.0.2:8080");
                    assertThat(plain.about().why()).contains("keeps port 8080 out of the mesh");
                });
        assertThat(route("198.18.0.2", 8080, server)).isInstanceOf(Route.Plain.class);
        assertThat(route("198.18.0.2", 8081, server)).isInstanceOf(Route.Hbone.class);
    }

    @Test
    void aServiceIsReachedByThePodsAddressAndTargetPortAndItsFurtherNames() {
        var route = (Route.Hbone) route(
                VIP,
                PORT,
                service(LoadBalancing.STANDARD, null, "spiffe://cluster.local/ns/shop/sa/also", "not-an-identity"),
                pod(endpoint("server", 2)));
        assertThat(route.authority()).hasToString("198.18.0.2:8080");
        assertThat(route.acceptedPeers()).isEqualTo(ids("server", "also"));
    }

    @Test
    void portsAreTheEndpointsThenTheServicesThenTheTunnels() {
        var service = service(LoadBalancing.STANDARD, null);
        var noMapping = pod(new Pod("server").at("198.18.0.2").of(SHOP, 90, 0));
        assertThat(((Route.Hbone) route(VIP, 90, service, noMapping)).authority())
                .hasToString("198.18.0.2:9090");
        assertThat(route(VIP, PORT, service, noMapping)).isInstanceOf(Route.Refused.class);
        var tunnelled = pod(new Pod("server")
                .at("198.18.0.2")
                .of(SHOP, 90, 0)
                .tunnel(tunnel -> with(tunnel, null, new ApplicationTunnel(ApplicationTunnel.Protocol.PROXY, 15088))));
        assertThat(((Route.Hbone) route(VIP, PORT, service, tunnelled)).authority())
                .hasToString("198.18.0.2:80");
        assertThat(route(VIP, 81, service, pod(endpoint("server", 2)))).isInstanceOf(Route.Refused.class);
    }

    private static Workload.Tunnel with(
            Workload.Tunnel tunnel, @Nullable GatewayAddress waypoint, @Nullable ApplicationTunnel application) {
        return new Workload.Tunnel(
                TunnelProtocol.HBONE, tunnel.nativeTunnel(), waypoint, null, application, tunnel.plainPorts());
    }

    @Test
    void withoutAnEndpointOnlyPassthroughGoesOn() {
        var refused = route(VIP, PORT, service(LoadBalancing.STANDARD, null));
        assertThat(refused).isInstanceOf(Route.Refused.class);
        assertThat(refused.about().why()).isEqualTo("no healthy upstream: 198.19.0.1:80");
        assertThat(route(VIP, PORT, service(balancing(Mode.PASSTHROUGH), null), pod(endpoint("server", 2))))
                .isInstanceOfSatisfying(
                        Route.Plain.class, plain -> assertThat(plain.to()).hasToString("/198.19.0.1:80"));
    }

    @Test
    void theUnhealthyAreLeftOutUnlessAllAreTaken() {
        var ill = pod(endpoint("ill", 3).unhealthy());
        var well = pod(endpoint("well", 2));
        assertThat(chosen(service(LoadBalancing.STANDARD, null), ill, well)).containsExactly("well");
        assertThat(chosen(
                        service(new LoadBalancing(List.of(), Mode.STANDARD, HealthPolicy.ALLOW_ALL), null), ill, well))
                .containsExactly("ill", "well");
    }

    @Test
    void capacityWeighsAndZeroIsNever() {
        var service = service(LoadBalancing.STANDARD, null);
        var hits = chosen(
                PORT,
                service,
                pod(endpoint("one", 2)),
                pod(endpoint("nine", 3).capacity(9)),
                pod(endpoint("never", 4).capacity(0)));
        assertThat(hits).containsOnlyKeys("one", "nine");
        assertThat(hits.get("nine")).isGreaterThan(230);
        assertThat(chosen(service, pod(endpoint("never", 4).capacity(0)))).containsExactly("refused");
    }

    /// @param scopes in order
    @ParameterizedTest
    @CsvSource({
        "STRICT, NODE, near",
        "STRICT, ZONE, near zone",
        "STRICT, REGION ZONE, near zone",
        "STRICT, SUBZONE CLUSTER, near",
        "STRICT, CLUSTER, near zone region",
        "FAILOVER, NODE, near",
        "FAILOVER, REGION ZONE SUBZONE, near",
        "FAILOVER, REGION, near region zone",
        "FAILOVER, SUBZONE ZONE, near",
        "FAILOVER, NETWORK REGION ZONE, near zone",
        "STANDARD, NODE, far near region zone"
    })
    void scopesAreMatchedInOrder(Mode mode, String scopes, String names) {
        var wanted = Arrays.stream(scopes.split(" ", -1)).map(Scope::valueOf).toArray(Scope[]::new);
        assertThat(chosen(
                        service(balancing(mode, wanted), null),
                        pod(endpoint("near", 2)),
                        pod(endpoint("zone", 3).in("", "c1", "n2", "r1/z1/s2")),
                        pod(endpoint("region", 4).in("", "c1", "n3", "r1/z2/s3")),
                        pod(endpoint("far", 5).in("", "c2", "n4", "r2/z3/s4"))))
                .containsExactlyInAnyOrder(names.split(" ", -1));
    }

    @Test
    void strictWithoutAMatchIsNoUpstreamAndFailoverGoesOn() {
        var far = pod(endpoint("far", 5).in("", "c2", "n4", "r2/z3/s4"));
        assertThat(chosen(service(balancing(Mode.STRICT, Scope.NODE), null), far))
                .containsExactly("refused");
        assertThat(chosen(service(balancing(Mode.FAILOVER, Scope.NODE), null), far))
                .containsExactly("far");
    }

    /// Any endpoint of the own network beats any other, however near that is.
    @Test
    void theOwnNetworkComesFirst() {
        var gateway = new GatewayAddress(
                new GatewayAddress.ByAddress(new NetworkAddress("", InetAddress.ofLiteral("198.18.0.9"))), 15008);
        var remote = new Pod("remote")
                .in("net2", "c1", "n1", "r1/z1/s1")
                .of(SHOP, PORT, 8080)
                .tunnel(tunnel -> new Workload.Tunnel(
                        TunnelProtocol.HBONE, tunnel.nativeTunnel(), null, gateway, null, Set.of()));
        var far = endpoint("far", 5).in("", "c2", "n4", "r2/z3/s4");
        assertThat(chosen(
                        service(balancing(Mode.FAILOVER, Scope.NETWORK, Scope.REGION, Scope.ZONE), null),
                        pod(far),
                        pod(remote)))
                .containsExactly("far");
    }

    @Test
    void aServicesWaypointIsAskedForTheVip() {
        var route = (Route.Hbone) route(
                VIP,
                PORT,
                service(LoadBalancing.STANDARD, BY_NAME),
                waypointService(),
                pod(endpoint("server", 2)),
                pod(new Pod("wp").at("198.18.0.8").of(WAYPOINT, 15008, 15008)));
        assertThat(route.nextHop()).hasToString("/198.18.0.8:15008");
        assertThat(route.authority()).hasToString("198.19.0.1:80");
        assertThat(route.acceptedPeers()).isEqualTo(ids("wp", "other-waypoint"));
    }

    @Test
    void aWaypointThatIsNotThereIsNotWalkedAround() {
        var service = service(LoadBalancing.STANDARD, BY_NAME);
        var server = pod(endpoint("server", 2));
        assertThat(route(VIP, PORT, service, server)).isInstanceOf(Route.Refused.class);
        assertThat(route(VIP, PORT, service, server, waypointService())).isInstanceOf(Route.Refused.class);
        var behind = pod(new Pod("behind").at("198.18.0.3").tunnel(tunnel -> with(tunnel, BY_NAME, null)));
        assertThat(route("198.18.0.3", PORT, behind)).isInstanceOf(Route.Refused.class);
    }

    /// Service-addressed traffic takes the service's waypoint only, workload-addressed the workload's.
    @Test
    void eachKindOfAddressHasItsOwnWaypoint() {
        var wp = pod(new Pod("wp").at("198.18.0.8").of(WAYPOINT, 15008, 15008));
        var behind = pod(endpoint("server", 2).tunnel(tunnel -> with(tunnel, BY_NAME, null)));
        var past = (Route.Hbone) route(VIP, PORT, service(LoadBalancing.STANDARD, null), waypointService(), wp, behind);
        assertThat(past.nextHop()).hasToString("/198.18.0.2:15008");
        var through = (Route.Hbone) route("198.18.0.2", 7070, waypointService(), wp, behind);
        assertThat(through.nextHop()).hasToString("/198.18.0.8:15008");
        assertThat(through.authority()).hasToString("198.18.0.2:7070");
        assertThat(((Route.Hbone) route(
                                "198.18.0.2",
                                7070,
                                service(LoadBalancing.STANDARD, BY_NAME),
                                pod(endpoint("server", 2))))
                        .nextHop())
                .hasToString("/198.18.0.2:15008");
    }

    /// Whichever of its replicas the client is.
    @Test
    void theWaypointItselfIsNotSentToItself() {
        var one = new Pod("wp-1").at("198.18.0.8").account("wp").of(WAYPOINT, 15008, 15008);
        var two = new Pod("wp-2").at("198.18.0.9").account("wp").of(WAYPOINT, 15008, 15008);
        var behind = pod(new Pod("server").at("198.18.0.2").tunnel(tunnel -> with(tunnel, BY_NAME, null)));
        for (var replica : List.of(one, two)) {
            for (var seed = 0; seed < 20; seed++) {
                var mesh = MeshSnapshot.EMPTY.with(List.of(waypointService(), pod(one), pod(two), behind));
                var route = new Router(mesh, replica.build(), Set.of(), new Random(seed))
                        .route(new InetSocketAddress(InetAddress.ofLiteral("198.18.0.2"), 7070));
                assertThat(((Route.Hbone) route).nextHop()).hasToString("/198.18.0.2:15008");
            }
        }
        var sameAccount = new Pod("not-wp").at("198.18.0.7").account("wp").build();
        assertThat(((Route.Hbone) route(sameAccount, "198.18.0.2", 7070, waypointService(), pod(one), behind))
                        .nextHop())
                .hasToString("/198.18.0.8:15008");
    }

    @Test
    void weightedWaypointsArePickedByWeight() {
        var other = new NamespacedHostname("shop", "canary.example");
        var base = (Change.PutService) service(LoadBalancing.STANDARD, BY_NAME);
        var weighted = new Change.PutService(new Service(
                base.service().name(),
                SHOP,
                base.service().vips(),
                List.of(),
                base.service().ports(),
                List.of(),
                BY_NAME,
                List.of(
                        new Service.WeightedWaypoint(BY_NAME, 3),
                        new Service.WeightedWaypoint(
                                new GatewayAddress(new GatewayAddress.ByHostname(other), 15008), 1)),
                LoadBalancing.STANDARD,
                Service.IpFamilies.AUTOMATIC,
                false,
                false));
        var hits = chosen(
                PORT,
                weighted,
                waypointService(),
                service(other, "198.19.0.8", Map.of(15008, 15008), LoadBalancing.STANDARD, null),
                pod(new Pod("wp").at("198.18.0.8").of(WAYPOINT, 15008, 15008)),
                pod(new Pod("canary").at("198.18.0.9").of(other, 15008, 15008)));
        assertThat(hits).containsOnlyKeys("wp", "canary");
        assertThat(hits.get("canary")).isBetween(45, 110);
    }

    /// The service's address counts before a workload's.
    @Test
    void anAddressOfBothIsTheServices() {
        var route = (Route.Hbone) route(
                VIP,
                PORT,
                service(LoadBalancing.STANDARD, null),
                pod(endpoint("server", 2)),
                pod(new Pod("squatter").at(VIP)));
        assertThat(route.authority()).hasToString("198.18.0.2:8080");
    }

    @Test
    void theAddressIsOfTheDialledFamilyIfThereIsOne() {
        var server = new Pod("server").at("fd00::2", "198.18.0.2").of(SHOP, PORT, 8080);
        assertThat(((Route.Hbone) route(VIP, PORT, service(LoadBalancing.STANDARD, null), pod(server))).nextHop())
                .hasToString("/198.18.0.2:15008");
        var six = new Pod("server").at("fd00::2").of(SHOP, PORT, 8080);
        assertThat(((Route.Hbone) route(VIP, PORT, service(LoadBalancing.STANDARD, null), pod(six))).authority())
                .hasToString("[fd00::2]:8080");
    }
}
