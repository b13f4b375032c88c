package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.security.Rule;
import dev.culvert.protos.security.StringMatch;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which waypoint is told for which object, and that what an L7 policy governs takes nobody else.
class WaypointBindingTest {
    private static final String QUAY = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay, labels: {istio.io/dataplane-mode: ambient}}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: other, labels: {tier: gold}}
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
            spec:
              clusterIP: 198.19.0.1
              selector: {app: berth}
              ports: [{name: http, port: 80, targetPort: http}, {name: raw, port: 90, targetPort: 7000}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth-calm, namespace: quay}
            spec: {clusterIP: 198.19.0.2, selector: {app: berth}, ports: [{port: 80, targetPort: 8080}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: berth-0, namespace: quay, labels: {app: berth}}
            spec: {nodeName: n, serviceAccountName: berth, containers: [{name: a, ports: [{name: http, containerPort: 8080}]}]}
            status: {phase: Running, podIP: 198.18.65.2}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: w-0, namespace: quay, labels: {gateway.networking.k8s.io/gateway-name: w}}
            spec: {nodeName: n, serviceAccountName: w, containers: [{name: a}]}
            status: {phase: Running, podIP: 198.18.65.3}
            """;
    private static final String POLICY = """
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: readers, namespace: quay}
            spec:
              targetRefs: [{kind: Service, name: berth}]
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;
    private static final String BERTH = "quay/berth.quay.svc.cluster.local";

    private static Translation translate(String yaml) {
        var read = YamlReader.read(Path.of("quay.yaml"), yaml);
        assertThat(read.problems()).isEmpty();
        return Translator.translate(ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    private static String onService(String labels) {
        return QUAY.replace("name: berth, namespace: quay}", "name: berth, namespace: quay, labels: {" + labels + "}}");
    }

    private static String onNamespace(String labels) {
        return QUAY.replace("ambient}", "ambient, " + labels + "}");
    }

    private static String waypointOf(Translation translation, String resource) {
        var address = Objects.requireNonNull(translation.addresses().get(resource), resource);
        var waypoint = address.hasService()
                ? address.getService().getWaypoint()
                : address.getWorkload().getWaypoint();
        return waypoint.getHostname().getHostname();
    }

    @Test
    void serviceThatNamesAWaypointIsToldWithIt() {
        var translation = translate(onService("istio.io/use-waypoint: w"));
        assertThat(waypointOf(translation, BERTH)).isEqualTo("w.quay.svc.cluster.local");
        assertThat(waypointOf(translation, "quay/berth-calm.quay.svc.cluster.local"))
                .isEmpty();
        assertThat(waypointOf(translation, "Kubernetes//Pod/quay/berth-0")).isEmpty();
    }

    @Test
    void namespaceGivesItsWaypointToServicesButNotToTheWaypointsOwn() {
        var translation = translate(onNamespace("istio.io/use-waypoint: w"));
        assertThat(waypointOf(translation, BERTH)).isEqualTo("w.quay.svc.cluster.local");
        assertThat(waypointOf(translation, "quay/w.quay.svc.cluster.local")).isEmpty();
        assertThat(translation.problems()).isEmpty();
    }

    @Test
    void noneTakesAServiceOutOfTheNamespacesWaypoint() {
        var yaml = onService("istio.io/use-waypoint: none").replace("ambient}", "ambient, istio.io/use-waypoint: w}");
        assertThat(waypointOf(translate(yaml), BERTH)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"service,,", "workload,,w.quay.svc.cluster.local", "all,,w.quay.svc.cluster.local", "none,,"})
    void podsGetAWaypointThatIsForWorkloads(String traffic, String nothing, String waypoint) {
        var yaml = onNamespace("istio.io/use-waypoint: w")
                .replace(
                        "{name: w, namespace: quay}\nspec: {g",
                        "{name: w, namespace: quay, labels: {istio.io/waypoint-for: " + traffic + "}}\nspec: {g");
        assertThat(waypointOf(translate(yaml), "Kubernetes//Pod/quay/berth-0"))
                .isEqualTo(waypoint == null ? "" : waypoint);
        assertThat(waypointOf(translate(yaml), "Kubernetes//Pod/quay/w-0")).isEmpty();
    }

    @Test
    void waypointOfAnotherNamespaceHasToAllowIt() {
        var shared = onService("istio.io/use-waypoint: w, istio.io/use-waypoint-namespace: quay")
                .replace("name: berth, namespace: quay, labels", "name: berth, namespace: other, labels");
        var refused = translate(shared);
        assertThat(waypointOf(refused, "other/berth.other.svc.cluster.local")).isEmpty();
        assertThat(refused.problems().toString()).contains("WaypointBound=False: AttachmentDenied: quay/w");
        var allowed = translate(shared.replace(
                "protocol: HBONE}",
                "protocol: HBONE, allowedRoutes: {namespaces: "
                        + "{from: Selector, selector: {matchLabels: {tier: gold}}}}}"));
        assertThat(waypointOf(allowed, "other/berth.other.svc.cluster.local")).isEqualTo("w.quay.svc.cluster.local");
    }

    @Test
    void nameThatNoGatewayHasIsToldAndMeansNoWaypoint() {
        var translation = translate(onService("istio.io/use-waypoint: x"));
        assertThat(waypointOf(translation, BERTH)).isEmpty();
        assertThat(translation.problems()).hasSize(1);
        assertThat(translation.problems().getFirst().toString())
                .contains("Service quay/berth", "WaypointBound=False: WaypointIsNotReady: quay/x");
        assertThat(translation.policies()).isEmpty();
    }

    private static Authorization denial(Translation translation) {
        return Objects.requireNonNull(translation.policies().get("quay/culvert_only_waypoint_berth"));
    }

    @Test
    void governedServiceTakesItsWaypointOnlyOnTheResolvedPorts() {
        var translation = translate(onService("istio.io/use-waypoint: w") + POLICY);
        var denial = denial(translation);
        assertThat(denial.getAction()).isEqualTo(Action.DENY);
        assertThat(denial.getRulesList())
                .containsExactly(Rule.newBuilder()
                        .addClauses(Clause.newBuilder()
                                .addMatches(Match.newBuilder()
                                        .addNotPrincipals(
                                                StringMatch.newBuilder().setExact("cluster.local/ns/quay/sa/w"))))
                        .addClauses(Clause.newBuilder()
                                .addMatches(Match.newBuilder()
                                        .addDestinationPorts(7000)
                                        .addDestinationPorts(8080)))
                        .build());
        var pod = Objects.requireNonNull(translation.addresses().get("Kubernetes//Pod/quay/berth-0"));
        assertThat(pod.getWorkload().getAuthorizationPoliciesList())
                .containsExactly("quay/culvert_only_waypoint_berth");
        assertThat(translation.problems())
                .extracting(Problem::message)
                .anyMatch(
                        text -> text.contains("Service quay/berth-calm.quay.svc.cluster.local leads to the same port"));
    }

    @ParameterizedTest
    @CsvSource({"istio.io/use-waypoint: x", "istio.io/use-waypoint: none", "app: berth"})
    void governedServiceWithoutAWaypointTakesNobody(String label) {
        var denial = denial(translate(onService(label) + POLICY));
        assertThat(denial.getRulesList())
                .containsExactly(Rule.newBuilder()
                        .addClauses(Clause.newBuilder()
                                .addMatches(Match.newBuilder()
                                        .addDestinationPorts(7000)
                                        .addDestinationPorts(8080)))
                        .build());
    }

    @Test
    void policyOfAGatewayThatIsNotThereClosesWhatNamesIt() {
        var yaml = onService("istio.io/use-waypoint: x")
                + POLICY.replace(
                        "{kind: Service, name: berth}", "{group: gateway.networking.k8s.io, kind: Gateway, name: x}");
        assertThat(denial(translate(yaml)).getRules(0).getClausesCount()).isEqualTo(1);
    }

    @Test
    void policyOfAGatewayGovernsPodsThatUseIt() {
        var yaml = onNamespace("istio.io/use-waypoint: w")
                        .replace(
                                "{name: w, namespace: quay}\nspec: {g",
                                "{name: w, namespace: quay, labels: {istio.io/waypoint-for: all}}\nspec: {g")
                + POLICY.replace(
                        "{kind: Service, name: berth}", "{group: gateway.networking.k8s.io, kind: Gateway, name: w}");
        var translation = translate(yaml);
        var pod = Objects.requireNonNull(translation.addresses().get("Kubernetes//Pod/quay/berth-0"));
        assertThat(pod.getWorkload().getAuthorizationPoliciesList())
                .contains("quay/culvert_only_waypoint__quay_w", "quay/culvert_only_waypoint_berth");
        var ofPods = Objects.requireNonNull(translation.policies().get("quay/culvert_only_waypoint__quay_w"));
        assertThat(ofPods.getRules(0).getClausesList()).hasSize(1);
        assertThat(ofPods.getRules(0).getClauses(0).getMatches(0).getNotPrincipalsCount())
                .isEqualTo(1);
    }

    @Test
    void podWithTheWaypointsAccountIsNamed() {
        var yaml = QUAY.replace("serviceAccountName: berth", "serviceAccountName: w");
        assertThat(translate(yaml).problems().toString()).contains("Pod quay/berth-0", "the identity of the waypoint");
        assertThat(translate(QUAY).problems()).isEmpty();
    }

    @Test
    void policyOfAServiceWhosePodsAreOutsideTheMeshIsNamed() {
        var outside = onService("istio.io/use-waypoint: w").replace("ambient}", "none}");
        assertThat(translate(outside + POLICY).problems().toString())
                .contains("none of the pods it is for is in the mesh");
    }
}
