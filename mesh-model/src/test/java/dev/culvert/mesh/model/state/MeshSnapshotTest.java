package dev.culvert.mesh.model.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What is found by address, name and pod, and in which order (Istio's).
class MeshSnapshotTest {
    private static final InetAddress IP = InetAddress.ofLiteral("198.18.0.1");
    private static final NamespacedHostname PRICES = new NamespacedHostname("shop", "prices.example");

    private static Change workload(String uid, boolean hbone, String network, boolean hostNetwork) {
        return new Change.PutWorkload(new Workload(
                uid,
                new Workload.Place(network, "c1", "n1", Locality.UNKNOWN, hostNetwork),
                new Workload.Names("cart", "shop", "cluster.local", "cart", "", "", "", "pod"),
                List.of(IP),
                hbone ? Workload.Tunnel.HBONE : Workload.Tunnel.PLAIN,
                List.of("shop/named", "ops/elsewhere", "shop/all"),
                true,
                "",
                Map.of(PRICES, Map.of(80, 8080)),
                1));
    }

    private static Change pod(String uid) {
        return workload(uid, true, "", false);
    }

    /// @param address `ip`, `ip/prefix`, or "" for none
    private static Change service(String namespace, String address, boolean canonical, boolean hidden) {
        var slash = address.indexOf('/');
        return new Change.PutService(new Service(
                namespace,
                new NamespacedHostname(namespace, "prices.example"),
                slash >= 0 || address.isEmpty()
                        ? List.of()
                        : List.of(new NetworkAddress("", InetAddress.ofLiteral(address))),
                slash < 0
                        ? List.of()
                        : List.of(new Service.CidrVip(
                                "",
                                new Cidr(
                                        InetAddress.ofLiteral(address.substring(0, slash)),
                                        Integer.parseInt(address.substring(slash + 1))))),
                Map.of(80, 0),
                List.of(),
                null,
                List.of(),
                LoadBalancing.STANDARD,
                Service.IpFamilies.AUTOMATIC,
                canonical,
                hidden));
    }

    private static MeshSnapshot mesh(Change... changes) {
        return MeshSnapshot.EMPTY.with(List.of(changes));
    }

    private static String at(MeshSnapshot mesh, String clientNamespace) {
        return mesh.serviceAt("", IP, clientNamespace).map(Service::name).orElse("none");
    }

    @Test
    void amongWorkloadsOfOneAddressAPodThatSpeaksHboneIsMeant() {
        var mesh = mesh(
                workload("entry-hbone", true, "", false),
                workload("c1//Pod/shop/plain", false, "", false),
                workload("c1//Pod/shop/hbone", true, "", false),
                workload("entry", false, "", false));
        assertThat(mesh.workloadAt("", IP).orElseThrow().uid()).isEqualTo("c1//Pod/shop/hbone");
        assertThat(mesh.with(List.of(new Change.RemoveAddress("c1//Pod/shop/hbone")))
                        .workloadAt("", IP)
                        .orElseThrow()
                        .uid())
                .isEqualTo("c1//Pod/shop/plain");
    }

    @Test
    void theNetworkIsPartOfAnAddressAndHostNetworkHasNone() {
        assertThat(mesh(workload("u", true, "n2", false)).workloadAt("", IP)).isEmpty();
        assertThat(mesh(workload("u", true, "n2", false)).workloadAt("n2", IP)).isPresent();
        assertThat(mesh(workload("u", true, "", true)).workloadAt("", IP)).isEmpty();
    }

    @Test
    void theOwnNamespacesServiceIsMeantThenTheCanonicalThenTheFirst() {
        var mesh = mesh(
                service("first", "198.18.0.1", false, false),
                service("canonical", "198.18.0.1", true, false),
                service("own", "198.18.0.1", false, false),
                service("hidden", "198.18.0.1", true, true));
        assertThat(at(mesh, "own")).isEqualTo("own");
        assertThat(at(mesh, "hidden")).isEqualTo("hidden");
        assertThat(at(mesh, "other")).isEqualTo("canonical");
        assertThat(at(mesh(service("a", "198.18.0.1", false, false), service("b", "198.18.0.1", false, false)), "x"))
                .isEqualTo("a");
        assertThat(mesh.serviceByHostname("prices.example", "own").orElseThrow().name())
                .isEqualTo("own");
    }

    @Test
    void aRangeIsMeantIfNoAddressIsTheLongestFirst() {
        var mesh = mesh(
                service("wide", "198.18.0.0/15", true, false),
                service("narrow", "198.18.0.0/24", false, false),
                service("own", "198.0.0.0/8", false, false));
        assertThat(at(mesh, "x")).isEqualTo("narrow");
        assertThat(at(mesh, "own")).isEqualTo("own");
        assertThat(at(mesh.with(List.of(service("exact", "198.18.0.1", false, false))), "own"))
                .isEqualTo("exact");
    }

    @Test
    void endpointsWaitForTheirServiceAndOutliveIt() {
        var staged = mesh(pod("u"));
        assertThat(staged.stagedEndpoints()).containsOnlyKeys(PRICES);
        var known = staged.with(List.of(service("shop", "", false, false)));
        assertThat(known.stagedEndpoints()).isEmpty();
        assertThat(known.endpoints(PRICES)).containsOnlyKeys("u");
        assertThat(known.with(List.of(service("shop", "198.18.0.9", false, false)))
                        .endpoints(PRICES))
                .containsOnlyKeys("u");
        assertThat(known.with(List.of(new Change.RemoveAddress("u"))).endpoints(PRICES))
                .isEmpty();
    }

    @Test
    void aRemovalNamesAUidFirstAndThenAService() {
        var both = mesh(pod("shop/prices.example"), service("shop", "", false, false));
        var one = both.with(List.of(new Change.RemoveAddress("shop/prices.example")));
        assertThat(one.workloads()).isEmpty();
        assertThat(one.services()).hasSize(1);
        var none = one.with(List.of(new Change.RemoveAddress("shop/prices.example")));
        assertThat(none.services()).isEmpty();
        assertThat(one.with(List.of(new Change.RemoveAddress("a/b/c"))).services())
                .hasSize(1);
    }

    @Test
    void aPodIsFoundByNameNamespaceAccountAndNode() {
        var mesh = mesh(pod("u"));
        assertThat(mesh.workloadOfPod("n1", "shop", "cart", "cart")).isPresent();
        assertThat(mesh.workloadOfPod("", "shop", "cart", "cart")).isPresent();
        assertThat(mesh.workloadOfPod("n2", "shop", "cart", "cart")).isEmpty();
        assertThat(mesh.workloadOfPod("n1", "shop", "cart", "other")).isEmpty();
        assertThat(mesh.workloadOfPod("n1", "ops", "cart", "cart")).isEmpty();
    }

    private static Change policy(String namespace, String name, Policy.Scope scope) {
        return new Change.PutPolicy(new Policy(namespace, name, scope, Policy.Action.DENY, List.of(), false));
    }

    @Test
    void policiesAreThoseOfTheMeshOfTheNamespaceAndThoseThatAreNamedEachOnce() {
        var mesh = mesh(
                pod("u"),
                policy("root", "global", Policy.Scope.GLOBAL),
                policy("shop", "all", Policy.Scope.NAMESPACE),
                policy("ops", "not-here", Policy.Scope.NAMESPACE),
                policy("shop", "named", Policy.Scope.WORKLOAD_SELECTOR),
                policy("shop", "not-named", Policy.Scope.WORKLOAD_SELECTOR),
                policy("ops", "elsewhere", Policy.Scope.NAMESPACE));
        var applicable = mesh.policiesFor(mesh.workload("u").orElseThrow());
        assertThat(applicable.missing()).isNull();
        assertThat(applicable.policies())
                .extracting(Policy::key)
                .containsExactlyInAnyOrder("root/global", "shop/all", "shop/named", "ops/elsewhere");
        var less = mesh.with(List.of(new Change.RemovePolicy("shop/named")));
        assertThat(less.policiesFor(less.workload("u").orElseThrow()).missing()).isEqualTo("shop/named");
    }
}
