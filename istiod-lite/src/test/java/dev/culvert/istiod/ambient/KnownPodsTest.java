package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KnownPodsTest {
    private static final TranslationSettings SETTINGS = TranslationSettings.defaults();
    private static final int RUNS = 10;
    private static final int STEPS = 150;
    private static final List<String> NAMESPACES = List.of("a", "b");

    private static final List<String> POD = List.of(
            "",
            pod("{app: x}", "node-1", "198.18.1.N", "True"),
            pod("{app: x, version: v2}", "node-1", "198.18.1.N", "True"),
            pod("{app: x, istio.io/use-waypoint: wp}", "node-2", "198.18.2.N", "False"),
            pod("{app: y}", "node-2", "198.18.2.N", "True"),
            pod("{app: y, gateway.networking.k8s.io/gateway-name: wp}", "node-1", "198.18.1.N", "True"));
    private static final List<String> NAMESPACE =
            List.of(object("Namespace", "v1", "istio.io/use-waypoint: wp", ""), object("Namespace", "v1", "", ""));
    private static final List<String> NODE = List.of(
            "",
            "{apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {topology.kubernetes.io/zone: z1}}}",
            "{apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {topology.kubernetes.io/zone: z2}}}");
    private static final List<String> SERVICE = List.of(
            "",
            object(
                    "Service",
                    "v1",
                    "",
                    "spec: {clusterIP: 198.19.0.1, selector: {app: x}, ports: [{port: 80, targetPort: 8080}]}"),
            object(
                    "Service",
                    "v1",
                    "",
                    "spec: {clusterIP: 198.19.0.1, selector: {app: x}, ports: [{port: 80, targetPort: web}]}"),
            object("Service", "v1", "", "spec: {clusterIP: 198.19.0.1, selector: {version: v2}, ports: [{port: 80}]}"),
            object("Service", "v1", "", "spec: {clusterIP: 198.19.0.1, ports: [{name: p, port: 80}]}"));
    private static final List<String> SLICE = List.of(
            "",
            object(
                    "EndpointSlice",
                    "discovery.k8s.io/v1",
                    "kubernetes.io/service-name: NAME",
                    "addressType: IPv4\nports: [{name: p, port: 8080}]\n"
                            + "endpoints: [{addresses: [198.18.1.1], targetRef: {kind: Pod, name: pod-1}}, {addresses: [198.18.9.9]}]"));
    private static final List<String> WAYPOINT = List.of("", """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: wp, namespace: NAMESPACE, labels: {istio.io/waypoint-for: all}}
            spec: {gatewayClassName: culvert-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            """);
    private static final List<String> WAYPOINT_SERVICE = List.of("", """
            apiVersion: v1
            kind: Service
            metadata: {name: wp, namespace: NAMESPACE, labels: {gateway.networking.k8s.io/gateway-name: wp}}
            spec: {clusterIP: 198.19.0.9, ports: [{port: 15008}]}
            """);
    private static final List<String> POLICY = List.of(
            "",
            policy("selector: {matchLabels: {app: x}}"),
            policy("selector: {matchLabels: {version: v2}}"),
            policy("targetRefs: [{kind: Service, group: '', name: service}]"),
            policy("targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: wp}]"));
    private static final List<String> PEERS = List.of(
            "",
            object("PeerAuthentication", "security.istio.io/v1", "", "spec: {mtls: {mode: STRICT}}"),
            object(
                    "PeerAuthentication",
                    "security.istio.io/v1",
                    "",
                    "spec: {selector: {matchLabels: {app: y}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}}"));
    private static final List<String> ENTRY = List.of(
            "",
            object(
                    "ServiceEntry",
                    "networking.istio.io/v1",
                    "",
                    "spec: {hosts: [pier.example.com], resolution: STATIC, location: MESH_INTERNAL,"
                            + " ports: [{number: 80, name: http, protocol: HTTP}], workloadSelector: {labels: {app: y}}}"),
            object(
                    "WorkloadEntry",
                    "networking.istio.io/v1",
                    "",
                    "spec: {address: 198.18.3.1, labels: {app: x}, serviceAccount: s}"));

    private final Map<String, KubeObject> parsed = new HashMap<>();

    private static String object(String kind, String version, String labels, String rest) {
        var home = kind.equals("Namespace") ? "name: NAMESPACE" : "name: NAME, namespace: NAMESPACE";
        return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {" + home + ", labels: {" + labels + "}}\n"
                + rest + "\n";
    }

    private static String policy(String covers) {
        return object(
                "AuthorizationPolicy",
                "security.istio.io/v1",
                "",
                "spec: {action: DENY, " + covers + ", rules: [{to: [{operation: {methods: [GET]}}]}]}");
    }

    private static String pod(String labels, String node, String address, String ready) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: NAME, namespace: NAMESPACE, labels: %s}
                spec: {nodeName: %s, containers: [{name: c, ports: [{name: web, containerPort: 8081}]}]}
                status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: '%s'}]}
                """.formatted(labels, node, address, ready);
    }

    /// What may stand in each place, in all its variants; an empty one is an object that is not there.
    private static Map<String, List<String>> places() {
        var places = new TreeMap<String, List<String>>();
        places.put("a node/node-1", NODE);
        for (var namespace : NAMESPACES) {
            places.put(namespace + " namespace/n", NAMESPACE);
            for (var i = 1; i <= 4; i++) {
                places.put(namespace + " pod/pod-" + i, POD);
            }
            places.put(namespace + " service/service", SERVICE);
            places.put(namespace + " service/other", SERVICE);
            places.put(namespace + " slice/service", SLICE);
            places.put(namespace + " gateway/wp", WAYPOINT);
            places.put(namespace + " gateway-service/wp", WAYPOINT_SERVICE);
            places.put(namespace + " policy/policy", POLICY);
            places.put(namespace + " peers/peers", PEERS);
            places.put(namespace + " entry/entry", ENTRY);
        }
        return places;
    }

    /// The same object for the same text, as a source keeps what has not changed.
    private ObjectSet objects(Map<String, String> there) {
        var all = there.entrySet().stream()
                .filter(entry -> !entry.getValue().isEmpty())
                .map(entry -> parsed.computeIfAbsent(entry.getKey() + entry.getValue(), _ -> read(entry)))
                .toList();
        return ObjectSet.of(all, List.of());
    }

    private static KubeObject read(Map.Entry<String, String> entry) {
        var name = entry.getKey().substring(entry.getKey().indexOf('/') + 1);
        var text = entry.getValue()
                .replace("NAMESPACE", entry.getKey().substring(0, 1))
                .replace("NAME", name)
                .replace(".N", "." + (entry.getKey().charAt(0) == 'a' ? "" : "1") + name.replaceAll("\\D", ""));
        var read = YamlReader.read(Path.of(entry.getKey()), text);
        assertThat(read.problems()).as(text).isEmpty();
        return read.objects().getFirst();
    }

    @Test
    void afterAnyChangesItIsAsIfNothingHadBeenKnown() {
        var seed = new Random().nextLong();
        System.out.println("KnownPodsTest: seed " + seed);
        var random = new Random(seed);
        var places = places();
        for (var run = 0; run < RUNS; run++) {
            var known = new KnownPods();
            var there = new TreeMap<String, String>();
            places.forEach((place, variants) -> there.put(place, variants.get(random.nextInt(variants.size()))));
            for (var step = 0; step < STEPS; step++) {
                for (var change = random.nextInt(3); change >= 0; change--) {
                    var place = places.keySet().stream()
                            .skip(random.nextInt(places.size()))
                            .findFirst()
                            .orElseThrow();
                    var variants = places.getOrDefault(place, List.of(""));
                    there.put(place, variants.get(random.nextInt(variants.size())));
                }
                var objects = objects(there);
                assertThat(Translator.translate(objects, SETTINGS, known))
                        .as("seed %d, run %d, step %d: %s", seed, run, step, there)
                        .isEqualTo(Translator.translate(objects, SETTINGS));
            }
        }
    }

    @Test
    void aChangeOfAPodLeavesTheMessagesOfOthersAndAnyOtherChangeMakesThemAnew() {
        var known = new KnownPods();
        var there = new TreeMap<>(
                Map.of("a pod/pod-1", POD.get(1), "a pod/pod-2", POD.get(1), "a service/service", SERVICE.get(1)));
        var other = "Kubernetes//Pod/a/pod-2";
        var first = Translator.translate(objects(there), SETTINGS, known).addresses();
        there.put("a pod/pod-1", POD.get(2));
        var second = Translator.translate(objects(there), SETTINGS, known).addresses();
        assertThat(second).isNotEqualTo(first);
        assertThat(second.get(other)).isSameAs(first.get(other));
        there.put("a service/service", SERVICE.get(2));
        var third = Translator.translate(objects(there), SETTINGS, known).addresses();
        assertThat(third.get(other)).isNotEqualTo(second.get(other));
    }
}
