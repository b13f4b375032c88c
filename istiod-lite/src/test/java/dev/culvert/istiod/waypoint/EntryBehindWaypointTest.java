package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Port;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.protos.workload.Address;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// ServiceEntries behind waypoints: what node proxies and waypoints are told, and that what a policy governs has no
/// way around.
class EntryBehindWaypointTest {
    private static final String QUAY = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: w, namespace: quay}
            spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: w
              namespace: quay
              labels: {gateway.networking.k8s.io/gateway-name: w, gateway.istio.io/managed: culvert.dev-mesh-controller}
            spec: {clusterIP: 198.19.0.9, ports: [{port: 15008}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: quay}
            spec: {clusterIP: 198.19.0.1, selector: {app: berth}, ports: [{name: http, port: 80}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: pier-0
              namespace: quay
              labels: {app: pier, tide: calm}
              annotations: {ambient.istio.io/redirection: enabled}
            spec: {nodeName: n, containers: [{name: a}]}
            status: {phase: Running, podIP: 198.18.65.2}
            """;
    private static final String ENTRY = """
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: pier, namespace: quay, labels: {istio.io/use-waypoint: w}}
            spec:
              hosts: [pier.example]
              ports:
              - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
              - {number: 443, name: secure, protocol: HTTPS}
              - {number: 5353, name: names, protocol: UDP}
            """;
    private static final String STATIC = ENTRY + """
              addresses: [198.19.7.1]
              resolution: STATIC
              endpoints: [{address: 198.18.9.1, labels: {tide: calm}}, {address: 198.18.9.2}]
            """;
    private static final String POLICY = """
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: readers, namespace: quay}
            spec:
              targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: pier}]
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;
    private static final String NOBODY = "culvert_no_waypoint.quay.svc.cluster.local";
    private static final String UID = "Kubernetes/networking.istio.io/ServiceEntry/quay/pier/";

    private static ObjectSet read(String yaml) {
        var read = YamlReader.read(Path.of("quay.yaml"), yaml);
        assertThat(read.problems())
                .filteredOn(one -> one.severity() == Problem.Severity.ERROR)
                .isEmpty();
        return ObjectSet.of(read.objects(), read.problems());
    }

    private static WaypointTranslator.Result translate(String more) {
        return WaypointTranslator.translate(read(QUAY + more), TranslationSettings.defaults());
    }

    private static Map<String, Address> addresses(String more) {
        return Translator.translate(read(QUAY + more), TranslationSettings.defaults())
                .addresses();
    }

    private static ServiceConfig pier(WaypointTranslator.Result result) {
        return Objects.requireNonNull(result.resources().get("quay/w/quay/pier.example"));
    }

    private static String waypoint(Map<String, Address> all, String name) {
        var one = Objects.requireNonNull(all.get(name), name);
        return (one.hasService()
                        ? one.getService().getWaypoint()
                        : one.getWorkload().getWaypoint())
                .getHostname()
                .getHostname();
    }

    @Test
    void itsWaypointIsToldOfItsPortsAsOfAServices() {
        var result = translate(STATIC);
        assertThat(result.problems()).isEmpty();
        assertThat(pier(result).getPortsList())
                .extracting(Port::getNumber, Port::getProtocol)
                .containsExactly(tuple(80, Protocol.HTTP1), tuple(443, Protocol.TCP));
        var backend = pier(result).getPorts(0).getRoutes(0).getForward().getBackends(0);
        assertThat(backend.getHostname()).isEqualTo("pier.example");
        assertThat(backend.getThroughWaypoint()).isFalse();
        assertThat(waypoint(addresses(STATIC), "quay/pier.example")).isEqualTo("w.quay.svc.cluster.local");
    }

    @ParameterizedTest
    @CsvSource({"istio.io/use-waypoint: w,w.quay.svc.cluster.local", "istio.io/use-waypoint: none,", "app: pier,"})
    void itsLabelCountsAndElseItsNamespaces(String label, String waypoint) {
        var entry = STATIC.replace("istio.io/use-waypoint: w", label);
        assertThat(waypoint(addresses(entry), "quay/pier.example")).isEqualTo(waypoint == null ? "" : waypoint);
        var ofNamespace =
                QUAY.replace("metadata: {name: quay}", "metadata: {name: quay, labels: {istio.io/use-waypoint: w}}");
        var there = Translator.translate(read(ofNamespace + entry), TranslationSettings.defaults());
        assertThat(waypoint(there.addresses(), "quay/pier.example"))
                .isEqualTo(label.endsWith("none") ? "" : "w.quay.svc.cluster.local");
    }

    private static final String ROUTE = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: lead, namespace: quay}
            spec:
              parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: pier}]
              rules:
              - backendRefs:
                - {group: networking.istio.io, kind: Hostname, name: pier.example, port: 80, weight: 3}
                - {name: berth, port: 80}
            """;

    @Test
    void routesAreAttachedToItAndLeadToHosts() {
        var result = translate(STATIC + ROUTE);
        assertThat(result.problems()).isEmpty();
        assertThat(pier(result).getPorts(0).getRoutes(0).getForward().getBackendsList())
                .extracting(Backend::getHostname, Backend::getWeight, Backend::getPort)
                .containsExactly(tuple("pier.example", 3, 80), tuple("berth.quay.svc.cluster.local", 1, 80));
        var lost = translate(STATIC + ROUTE.replace("name: pier.example", "name: jetty.example"));
        assertThat(pier(lost)
                        .getPorts(0)
                        .getRoutes(0)
                        .getForward()
                        .getBackends(0)
                        .getBrokenStatus())
                .isEqualTo(500);
        assertThat(lost.problems().toString()).contains("no ServiceEntry has that host");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{group: networking.istio.io, kind: Hostname, name: pier, port: 80}",
                "{group: networking.istio.io, kind: Hostname, name: pier.example, namespace: quay, port: 80}",
                "{kind: Hostname, name: pier.example, port: 80}",
                "{name: pier.example, port: 80}"
            })
    void hostsAreNamedAsIstioNamesThem(String backend) {
        var lost = translate(STATIC
                + ROUTE.replace(
                        "{group: networking.istio.io, kind: Hostname, name: pier.example, port: 80, weight: 3}",
                        backend));
        assertThat(pier(lost)
                        .getPorts(0)
                        .getRoutes(0)
                        .getForward()
                        .getBackends(0)
                        .getBrokenStatus())
                .isEqualTo(500);
    }

    @Test
    void virtualServicesAndDestinationRulesOfItsHostCount() {
        var result = translate(STATIC + """
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: early, namespace: quay}
                spec:
                  hosts: [pier.example]
                  http: [{route: [{destination: {host: pier.example, subset: calm, port: {number: 80}}}]}]
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: pier, namespace: quay}
                spec:
                  host: pier.example
                  trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}}
                  subsets: [{name: calm, labels: {tide: calm}}]
                """);
        assertThat(result.problems()).isEmpty();
        var routes = pier(result).getPorts(0).getRoutesList();
        assertThat(routes).extracting(Route::getName).containsExactly("quay.early.0");
        var backend = routes.getFirst().getForward().getBackends(0);
        assertThat(backend.getSubset().getWorkloadsList()).containsExactly(UID + "198.18.9.1");
        assertThat(backend.getTraffic().getPool().getMaxConnections()).isEqualTo(7);
    }

    @Test
    void subsetsOfASelectorAreItsPodsAndMachines() {
        var result = translate(ENTRY + """
                  resolution: STATIC
                  workloadSelector: {labels: {app: pier}}
                ---
                apiVersion: networking.istio.io/v1
                kind: WorkloadEntry
                metadata: {name: vm, namespace: quay, labels: {app: pier}}
                spec: {address: 198.18.0.9, labels: {tide: calm}}
                ---
                apiVersion: networking.istio.io/v1
                kind: WorkloadEntry
                metadata: {name: other, namespace: quay, labels: {app: pier}}
                spec: {address: 198.18.0.10}
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: pier, namespace: quay}
                spec: {host: pier.example, subsets: [{name: calm, labels: {tide: calm}}]}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: early, namespace: quay}
                spec: {hosts: [pier.example], http: [{route: [{destination: {host: pier.example, subset: calm}}]}]}
                """);
        assertThat(pier(result)
                        .getPorts(0)
                        .getRoutes(0)
                        .getForward()
                        .getBackends(0)
                        .getSubset()
                        .getWorkloadsList())
                .containsExactly("Kubernetes//Pod/quay/pier-0", "Kubernetes/networking.istio.io/WorkloadEntry/quay/vm");
    }

    @Test
    void aPolicyThatIsBoundToItIsInForceForItAlone() {
        assertThat(pier(translate(STATIC + POLICY)).getPoliciesList())
                .extracting(Policy::getName)
                .containsExactly("readers");
        var ofService = POLICY.replace("group: networking.istio.io, kind: ServiceEntry", "kind: Service");
        assertThat(pier(translate(STATIC + ofService)).getPoliciesList()).isEmpty();
        assertThat(translate(STATIC + ofService).problems().toString()).contains("TargetNotFound");
        assertThat(translate(STATIC + POLICY).problems()).isEmpty();
    }

    /// Where it has no waypoint, callers' nodes are told of one that there is not.
    @ParameterizedTest
    @CsvSource({
        "istio.io/use-waypoint: w,w.quay.svc.cluster.local",
        "istio.io/use-waypoint: x," + NOBODY,
        "istio.io/use-waypoint: none," + NOBODY,
        "app: pier," + NOBODY
    })
    void whatIsGovernedHasNoWayAround(String label, String waypoint) {
        var entry = STATIC.replace("istio.io/use-waypoint: w", label);
        var all = addresses(entry + POLICY);
        assertThat(waypoint(all, "quay/pier.example")).isEqualTo(waypoint);
        assertThat(waypoint(all, UID + "198.18.9.1")).as("its own address").isEqualTo(NOBODY);
        var audit = addresses(entry + POLICY + "  action: AUDIT\n");
        assertThat(waypoint(audit, UID + "198.18.9.1")).isEmpty();
        assertThat(waypoint(audit, "quay/pier.example"))
                .isEqualTo(waypoint.equals(NOBODY) ? "" : "w.quay.svc.cluster.local");
    }

    @Test
    void podsThatItSelectsTakeItsWaypointOnly() {
        var translation = Translator.translate(
                read(QUAY + ENTRY + "  resolution: STATIC\n  workloadSelector: {labels: {app: pier}}\n" + POLICY),
                TranslationSettings.defaults());
        assertThat(Objects.requireNonNull(translation.addresses().get("Kubernetes//Pod/quay/pier-0"))
                        .getWorkload()
                        .getAuthorizationPoliciesList())
                .containsExactly("quay/culvert_only_waypoint__entry_pier");
        var rules = Objects.requireNonNull(translation.policies().get("quay/culvert_only_waypoint__entry_pier"))
                .getRulesList();
        assertThat(rules.getFirst()
                        .getClauses(0)
                        .getMatches(0)
                        .getNotPrincipals(0)
                        .getExact())
                .isEqualTo("cluster.local/ns/quay/sa/w");
        assertThat(rules.getFirst().getClauses(1).getMatches(0).getDestinationPortsList())
                .containsExactly(443, 8080);
    }

    /// A call of that address would else find the endpoint, and not the entry.
    @ParameterizedTest
    @CsvSource({"198.18.9.1,198.18.9.1", "198.18.9.0/24,198.18.9.1", "198.19.7.1,''"})
    void anEndpointAtTheEntrysOwnAddressIsKnownByNameOnly(String address, String name) {
        var endpoint = Objects.requireNonNull(
                        addresses(STATIC.replace("198.19.7.1", address)).get(UID + "198.18.9.1"))
                .getWorkload();
        assertThat(endpoint.getHostname()).isEqualTo(name);
        assertThat(endpoint.getAddressesCount()).isEqualTo(name.isEmpty() ? 1 : 0);
    }

    private static final String TO_PIER = """
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: away, namespace: quay}
            spec: {hosts: [berth], http: [{route: [{destination: {host: pier.example, port: {number: 80}}}]}]}
            """;

    @ParameterizedTest
    @CsvSource({"w,false", "v,true"})
    void anotherWaypointAsksTheEntrysOwnForWhatIsGoverned(String other, boolean through) {
        var second = QUAY.replace("name: w\n", "name: v\n")
                .replace("name: w,", "name: v,")
                .replace("gateway-name: w", "gateway-name: v")
                .replace("198.19.0.9", "198.19.0.8");
        var gateway = second.substring(second.indexOf("---"), second.indexOf("metadata: {name: berth"));
        var yaml = (QUAY + gateway.substring(0, gateway.lastIndexOf("---")) + STATIC + TO_PIER)
                .replace(
                        "{name: berth, namespace: quay}",
                        "{name: berth, namespace: quay, labels: {istio.io/use-waypoint: " + other + "}}");
        var open = WaypointTranslator.translate(read(yaml), TranslationSettings.defaults());
        var governed = WaypointTranslator.translate(read(yaml + POLICY), TranslationSettings.defaults());
        var name = "quay/" + other + "/quay/berth.quay.svc.cluster.local";
        assertThat(backend(open, name).getThroughWaypoint()).isFalse();
        assertThat(backend(governed, name).getThroughWaypoint()).isEqualTo(through);
    }

    private static Backend backend(WaypointTranslator.Result result, String name) {
        return Objects.requireNonNull(result.resources().get(name), name)
                .getPorts(0)
                .getRoutes(0)
                .getForward()
                .getBackends(0);
    }

    @Test
    void whatItsWaypointDoesNotServeIsNamed() {
        var ofAnyName = translate(ENTRY.replace("pier.example", "'*.example'") + "  resolution: DYNAMIC_DNS\n");
        assertThat(ofAnyName.resources()).isEmpty();
        assertThat(messages(ofAnyName)).anyMatch(text -> text.contains("host *.example: waypoint quay/w looks up no"));
        var unseen = translate(ENTRY + "  resolution: NONE\n");
        assertThat(messages(unseen)).anyMatch(text -> text.contains("nobody is sent to waypoint quay/w"));
        assertThat(translate(ENTRY + "  resolution: NONE\n  addresses: [198.19.7.0/24]\n")
                        .problems())
                .isEmpty();
        assertThat(translate(ENTRY + "  resolution: DNS\n").problems()).isEmpty();
    }

    private static List<String> messages(WaypointTranslator.Result result) {
        return result.problems().stream().map(Problem::message).toList();
    }
}
