package dev.culvert.ztunnel.dns.lookup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Service.IpFamilies;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each line of the published rules of names. The client is `shop/client` on network `n1`.
class NameLookupTest {
    private static final Zone ZONE = new Zone("cluster.local", "preferred", true);
    private static final Workload CLIENT = workload("client", "shop", true, Map.of(), "198.18.1.1");

    private static final MeshSnapshot MESH = mesh(
            vips("cart", "shop", "198.19.0.1", "fd00::1"),
            vips("cart", "other", "198.19.0.2"),
            vips("only-other", "other", "198.19.0.3"),
            entry("api.example.com", "shop", "198.19.1.1"),
            entry("*.wild.example.com", "shop", "198.19.1.2"),
            entry("*.example.org", "shop", "198.19.1.3"),
            entry("deep.example.org", "shop", "198.19.1.4"),
            entry("bare", "shop", "198.19.1.5"),
            entry("two.labels", "shop", "198.19.1.6"),
            entry("*.apps.shop.svc.cluster.local", "shop", "198.19.1.7"),
            entry("Upper.example.com", "shop", "198.19.1.8"),
            new Svc("far.example.com", "shop").on("n2").vips("198.19.2.1"),
            new Svc("near-and-far.example.com", "shop")
                    .on("n2")
                    .vips("198.19.2.2")
                    .on("n1")
                    .vips("198.19.2.3"),
            new Svc("nowhere.example.com", "shop"),
            new Svc("hidden.example.com", "other").vips("198.19.3.1").visibleInNamespace(),
            new Svc("own-hidden.example.com", "shop").vips("198.19.3.2").visibleInNamespace(),
            new Svc("four.example.com", "shop").vips("198.19.4.1", "fd00::4").families(IpFamilies.IPV4_ONLY),
            new Svc("six.example.com", "shop").vips("198.19.4.2", "fd00::6").families(IpFamilies.IPV6_ONLY),
            new Svc("both.example.com", "shop").vips("198.19.4.3", "fd00::8").families(IpFamilies.DUAL),
            new Svc("headless.shop.svc.cluster.local", "shop"),
            new Svc("empty.shop.svc.cluster.local", "shop"),
            new Svc("unready.shop.svc.cluster.local", "shop").allHealth());

    @ParameterizedTest
    @CsvSource(textBlock = """
            # the name itself
            cart.shop.svc.cluster.local,                   198.19.0.1,  ''
            api.example.com,                               198.19.1.1,  ''
            # expansions: one label, two, three, four
            cart,                                          198.19.0.1,  ''
            cart.shop,                                     198.19.0.1,  ''
            cart.other,                                    198.19.0.2,  ''
            cart.shop.svc,                                 198.19.0.1,  ''
            only-other.other.svc,                          198.19.0.3,  ''
            only-other.other,                              198.19.0.3,  ''
            # a name is taken whole before it is expanded
            bare,                                          198.19.1.5,  ''
            # search domains are taken off: own namespace, svc, cluster
            api.example.com.shop.svc.cluster.local,        198.19.1.1,  api.example.com
            api.example.com.svc.cluster.local,             198.19.1.1,  api.example.com
            api.example.com.cluster.local,                 198.19.1.1,  api.example.com
            two.labels.shop.svc.cluster.local,             198.19.1.6,  two.labels
            cart.shop.shop.svc.cluster.local,              198.19.0.1,  cart.shop
            cart.shop.svc.shop.svc.cluster.local,          198.19.0.1,  cart.shop.svc
            cart.shop.svc.cluster.local.svc.cluster.local, 198.19.0.1,  cart.shop.svc.cluster.local
            only-other.other.svc.svc.cluster.local,        198.19.0.3,  only-other.other.svc
            # wildcards, the nearest first, and the exact name before them
            x.wild.example.com,                            198.19.1.2,  ''
            y.x.wild.example.com,                          198.19.1.2,  ''
            x.example.org,                                 198.19.1.3,  ''
            deep.example.org,                              198.19.1.4,  ''
            a.deep.example.org,                            198.19.1.3,  ''
            z.apps.shop.svc.cluster.local,                 198.19.1.7,  ''
            # found by wildcard behind a search domain: no CNAME
            x.wild.example.com.shop.svc.cluster.local,     198.19.1.2,  ''
            # only what the client may see, and only its network's addresses
            own-hidden.example.com,                        198.19.3.2,  ''
            near-and-far.example.com,                      198.19.2.3,  ''
            four.example.com,                              198.19.4.1,  ''
            both.example.com,                              198.19.4.3,  ''
            """)
    void isFoundWithItsAddress(String name, String address, String canonical) {
        var found = known(name, true);
        assertThat(found.addresses()).containsExactly(InetAddress.ofLiteral(address));
        assertThat(found.canonical()).isEqualTo(canonical.isEmpty() ? null : canonical);
        assertThat(found.result()).isEqualTo("success");
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            example.com
            wild.example.com
            com
            nowhere.example.com
            hidden.example.com
            upper.example.com
            only-other
            only-other.shop
            api.example.com.other.svc.cluster.local
            cart.shop.svc.cluster.local.
            cart.shop.svc.cluster
            shop.svc.cluster.local
            cluster.local
            pod-0.headless.shop.svc.cluster.local
            *
            """)
    void isLeftToOthers(String name) {
        assertThat(find(name, true)).as(name).isNull();
        assertThat(find(name, false)).as(name).isNull();
    }

    /// Known names never are "no such name".
    @ParameterizedTest
    @CsvSource(textBlock = """
            api.example.com,             false, no records
            far.example.com,             true,  no records
            empty,                       true,  no records
            four.example.com,            false, service does not support this record type
            six.example.com,             true,  service does not support this record type
            api.example.com.svc.cluster.local, false, no records
            """)
    void isKnownWithoutSuchAnAddress(String name, boolean ipv4, String result) {
        assertThat(find(name, ipv4)).isEqualTo(new Found(null, List.of(), result));
    }

    @Test
    void bothFamilies() {
        assertThat(find("cart", false)).extracting(Found::addresses).isEqualTo(ips("fd00::1"));
        assertThat(find("six.example.com", false)).extracting(Found::addresses).isEqualTo(ips("fd00::6"));
    }

    /// Dedicated mode: the list of its own `resolv.conf` stands for the three of Kubernetes.
    @Test
    void anotherSearchListStripsOtherDomains() {
        var own = new NameLookup(MESH, CLIENT, ZONE.searching(List.of("corp.example")), new Random(1));
        var found = own.find("api.example.com.corp.example", true).orElseThrow();
        assertThat(found.canonical()).isEqualTo("api.example.com");
        assertThat(own.find("api.example.com.svc.cluster.local", true)).isEmpty();
        assertThat(new NameLookup(MESH, CLIENT, ZONE, new Random(1)).find("api.example.com.svc.cluster.local", true))
                .isPresent();
    }

    @Test
    void withoutIpv6ThereIsNoAaaaOfWhatIsKnown() {
        var zone = new Zone("cluster.local", null, false);
        var lookup = new NameLookup(MESH, CLIENT, zone, new Random(1));
        assertThat(lookup.find("cart", false)).contains(new Found(null, List.of(), Found.NO_SUCH_FAMILY));
        assertThat(lookup.find("six.example.com", false)).contains(new Found(null, List.of(), Found.NO_SUCH_FAMILY));
        assertThat(lookup.find("cart", true)).map(Found::result).contains("success");
        assertThat(lookup.find("stranger.example", false)).isEmpty();
    }

    /// The first address of the family of each healthy endpoint; of all if the service says so.
    @Test
    void headlessServicesMeanTheirEndpoints() {
        var four = known("headless", true);
        var six = known("headless.shop", false);
        assertThat(four.addresses()).containsExactlyInAnyOrderElementsOf(ips("198.18.2.1", "198.18.2.2"));
        assertThat(six.addresses()).containsExactlyElementsOf(ips("fd00:2::1"));
        var all = known("unready", true);
        assertThat(all.addresses()).containsExactlyElementsOf(ips("198.18.2.3"));
    }

    @Test
    void addressesAreShuffled() {
        var first = new HashSet<InetAddress>();
        for (var i = 0; i < 200; i++) {
            first.add(known("headless", true).addresses().getFirst());
        }
        assertThat(first).hasSize(2);
    }

    /// Own namespace, then canonical, then the preferred namespace, then the first.
    @Test
    void amongServicesOfOneName() {
        var first = new Svc("x.example", "a").vips("198.19.9.1");
        var preferred = new Svc("x.example", "preferred").vips("198.19.9.2");
        var canonical = new Svc("x.example", "b").vips("198.19.9.3").canonical();
        var own = new Svc("x.example", "shop").vips("198.19.9.4");
        assertThat(winner(first, preferred, canonical, own)).isEqualTo("198.19.9.4");
        assertThat(winner(first, preferred, canonical)).isEqualTo("198.19.9.3");
        assertThat(winner(first, preferred)).isEqualTo("198.19.9.2");
        assertThat(winner(first, new Svc("x.example", "c").vips("198.19.9.5"))).isEqualTo("198.19.9.1");
        var bare = new Svc("x.example", "shop");
        assertThat(winner(bare, first))
                .as("one without addresses does not count")
                .isEqualTo("198.19.9.1");
    }

    private static String winner(Svc... services) {
        return new NameLookup(mesh(services), CLIENT, ZONE, new Random(1))
                .find("x.example", true)
                .orElseThrow()
                .addresses()
                .getFirst()
                .getHostAddress();
    }

    private static @Nullable Found find(String name, boolean ipv4) {
        return new NameLookup(MESH, CLIENT, ZONE, new Random()).find(name, ipv4).orElse(null);
    }

    private static Found known(String name, boolean ipv4) {
        return Objects.requireNonNull(find(name, ipv4), name);
    }

    // ---- the mesh ----

    private static List<InetAddress> ips(String... texts) {
        return Arrays.stream(texts).map(InetAddress::ofLiteral).toList();
    }

    private static Svc vips(String name, String namespace, String... vips) {
        return new Svc(name + "." + namespace + ".svc.cluster.local", namespace).vips(vips);
    }

    private static Svc entry(String hostname, String namespace, String... vips) {
        return new Svc(hostname, namespace).vips(vips);
    }

    private static MeshSnapshot mesh(Svc... services) {
        var headless = new NamespacedHostname("shop", "headless.shop.svc.cluster.local");
        var unready = new NamespacedHostname("shop", "unready.shop.svc.cluster.local");
        var endpoints = Stream.of(
                CLIENT,
                workload("h1", "shop", true, Map.of(headless, Map.of()), "198.18.2.1", "198.18.2.9", "fd00:2::1"),
                workload("h2", "shop", true, Map.of(headless, Map.of()), "198.18.2.2"),
                workload(
                        "h3", "shop", false, Map.of(headless, Map.of(), unready, Map.of()), "198.18.2.3", "fd00:2::3"));
        return MeshSnapshot.EMPTY.with(
                Stream.concat(Arrays.stream(services).map(Svc::put), endpoints.map(Change.PutWorkload::new))
                        .toList());
    }

    private static Workload workload(
            String name,
            String namespace,
            boolean healthy,
            Map<NamespacedHostname, Map<Integer, Integer>> services,
            String... addresses) {
        return new Workload(
                "test//Pod/" + namespace + "/" + name,
                new Workload.Place("n1", "test", "node", Locality.UNKNOWN, false),
                new Workload.Names(name, namespace, "cluster.local", name, name, "", name, "pod"),
                ips(addresses),
                Workload.Tunnel.HBONE,
                List.of(),
                healthy,
                "",
                services,
                1);
    }

    private static final class Svc {
        private final String hostname;
        private final String namespace;
        private final List<NetworkAddress> vips = new ArrayList<>();
        private String network = "n1";
        private IpFamilies families = IpFamilies.AUTOMATIC;
        private boolean canonical;
        private boolean hidden;
        private LoadBalancing balancing = LoadBalancing.STANDARD;

        Svc(String hostname, String namespace) {
            this.hostname = hostname;
            this.namespace = namespace;
        }

        Svc on(String its) {
            network = its;
            return this;
        }

        Svc vips(String... its) {
            ips(its).forEach(ip -> vips.add(new NetworkAddress(network, ip)));
            return this;
        }

        Svc families(IpFamilies its) {
            families = its;
            return this;
        }

        Svc canonical() {
            canonical = true;
            return this;
        }

        Svc visibleInNamespace() {
            hidden = true;
            return this;
        }

        Svc allHealth() {
            balancing = new LoadBalancing(List.of(), LoadBalancing.Mode.STANDARD, LoadBalancing.HealthPolicy.ALLOW_ALL);
            return this;
        }

        Change put() {
            return new Change.PutService(new Service(
                    hostname,
                    new NamespacedHostname(namespace, hostname),
                    vips,
                    List.of(),
                    Map.of(80, 8080),
                    List.of(),
                    null,
                    List.of(),
                    balancing,
                    families,
                    canonical,
                    hidden));
        }
    }
}
