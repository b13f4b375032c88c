package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

class ChartsTest {
    private static final Path ROOT = Path.of(System.getProperty("culvert.root"));

    private static List<Map<String, Object>> render(Map<String, String> sets) throws IOException {
        return Charts.render(new Charts.Values("culvert", "istio-system", List.of(), sets));
    }

    private static Map<String, Object> find(List<Map<String, Object>> objects, String kind, String name) {
        return objects.stream()
                .filter(object -> kind.equals(object.get("kind")) && name.equals(Documents.name(object)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
    }

    private static Object at(Object tree, Object... path) {
        var here = tree;
        for (var step : path) {
            var next = step instanceof Integer index ? ((List<?>) here).get(index) : ((Map<?, ?>) here).get(step);
            here = Objects.requireNonNull(next, () -> "nothing at " + step);
        }
        return here;
    }

    private static List<Object> list(Object tree, Object... path) {
        return new ArrayList<>((List<?>) at(tree, path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "istiod", "cni", "ztunnel", "culvert"})
    void lintFindsNothing(String chart) {
        var result =
                new Helm(ROOT.resolve("charts").resolve(chart)).lint().strict().call();

        assertThat(result.isFailed()).as("%s", result.getMessages()).isFalse();
        assertThat(result.getMessages()).noneMatch(message -> message.contains("[WARNING]"));
    }

    @Test
    void namesAreIstiosSoThatItsToolsFindThem() throws Exception {
        var names = new ArrayList<String>();
        for (var object : render(Map.of("base.createNamespace", "true"))) {
            names.add(object.get("kind") + " " + Documents.name(object));
        }
        assertThat(names)
                .contains(
                        "Namespace istio-system",
                        "Deployment istiod",
                        "Service istiod",
                        "ServiceAccount istiod",
                        "DaemonSet istio-cni-node",
                        "ServiceAccount istio-cni",
                        "DaemonSet ztunnel",
                        "ServiceAccount ztunnel")
                .doesNotHaveDuplicates();
    }

    @Test
    void everythingIsOursInOneNamespaceAndOfAKindThatIsUninstalled() throws Exception {
        for (var object : render(Map.of("istiod.replicas", "3", "base.createNamespace", "true"))) {
            var type = Cluster.type(object);
            assertThat(at(object, "metadata", "labels", Cluster.PART_OF))
                    .as("%s", object)
                    .isEqualTo(Cluster.OURS);
            assertThat(Documents.namespace(object)).isEqualTo(type.namespaced() ? "istio-system" : "");
        }
    }

    @Test
    void imagesAreThoseOfTheBuild() throws Exception {
        var version = (String) at(parent(), "version");
        var objects = render(Map.of());
        assertThat(at(find(objects, "DaemonSet", "ztunnel"), "spec", "template", "spec", "containers", 0, "image"))
                .isEqualTo("culvert/ztunnel:" + version);
        assertThat(at(
                        find(objects, "DaemonSet", "istio-cni-node"),
                        "spec",
                        "template",
                        "spec",
                        "containers",
                        0,
                        "image"))
                .isEqualTo("culvert/culvert-cni:" + version);
        assertThat(at(find(objects, "Deployment", "istiod"), "spec", "template", "spec", "containers", 0, "image"))
                .isEqualTo("culvert/istiod-lite:" + version);
    }

    /// The parent's version, as the charts' must be.
    private static Map<String, Object> parent() throws IOException {
        var pom = Files.readString(ROOT.resolve("pom.xml"));
        var from = pom.indexOf("<version>") + "<version>".length();
        return Map.of("version", pom.substring(from, pom.indexOf("</version>", from)));
    }

    @Test
    void agentsAndProxiesRunOnEveryNodeBeforeOthersAndUnprivileged() throws Exception {
        var objects = render(Map.of());
        for (var name : List.of("ztunnel", "istio-cni-node")) {
            var pod = at(find(objects, "DaemonSet", name), "spec", "template", "spec");
            assertThat(at(pod, "priorityClassName")).isEqualTo("system-node-critical");
            assertThat(list(pod, "tolerations"))
                    .anyMatch(toleration ->
                            Map.of("effect", "NoExecute", "operator", "Exists").equals(toleration))
                    .anyMatch(toleration ->
                            Map.of("effect", "NoSchedule", "operator", "Exists").equals(toleration));
            var security = at(pod, "containers", 0, "securityContext");
            assertThat(at(security, "privileged")).isEqualTo(false);
            assertThat(at(security, "readOnlyRootFilesystem")).isEqualTo(true);
            assertThat(at(security, "capabilities", "drop")).isEqualTo(List.of("ALL"));
            assertThat(at(pod, "containers", 0, "readinessProbe", "httpGet")).isNotNull();
        }
    }

    @Test
    void tokensAreForTheAuthorityOnlyAndTheApiServersIsNotMounted() throws Exception {
        var pod = at(find(render(Map.of()), "DaemonSet", "ztunnel"), "spec", "template", "spec");
        assertThat(at(pod, "automountServiceAccountToken")).isEqualTo(false);
        assertThat(at(pod, "volumes", 0, "projected", "sources", 0, "serviceAccountToken"))
                .isEqualTo(Map.of("path", "istio-token", "expirationSeconds", 43200, "audience", "istio-ca"));
    }

    @Test
    void controllerMayDoWhatItSaysItNeedsAndNothingElse() throws Exception {
        var objects = render(Map.of());
        var needed = new ArrayList<Object>();
        for (var document : new Yaml(new SafeConstructor(new LoaderOptions()))
                .loadAll(Files.readString(ROOT.resolve("docs/istiod-rbac.yaml")))) {
            needed.add(at(document, "rules"));
        }
        assertThat(List.of(
                        at(find(objects, "ClusterRole", "istiod-istio-system"), "rules"),
                        at(find(objects, "Role", "istiod"), "rules")))
                .isEqualTo(needed);
    }

    @Test
    void anotherRevisionHasNothingInCommonWithTheDefault() throws Exception {
        var sets = Map.of("istiod.replicas", "2");
        var more = Map.of("istiod.replicas", "2", "istiod.revision", "blue", "ztunnel.revision", "blue");
        var first = names(render(sets), "istiod");
        var second = names(render(more), "istiod");
        assertThat(first).isNotEmpty().doesNotContainAnyElementsOf(second);
        assertThat(second)
                .allSatisfy(name -> assertThat(name).contains("-blue"))
                .hasSameSizeAs(first);
        assertThat(names(render(Map.of("istiod.replicas", "2", "istiod.revision", "default")), "istiod"))
                .isEqualTo(first);

        var blue = find(render(more), "Deployment", "istiod-blue");
        var pod = (Map<?, ?>) at(blue, "spec", "template", "metadata", "labels");
        for (var kind : List.of("Deployment", "Service", "PodDisruptionBudget")) {
            var ofDefault = selector(find(render(sets), kind, "istiod"));
            var ofBlue = selector(find(render(more), kind, "istiod-blue"));
            assertThat(pod.entrySet().containsAll(ofBlue.entrySet())).isTrue();
            assertThat(pod.entrySet().containsAll(ofDefault.entrySet())).isFalse();
        }
        assertThat(list(blue, "spec", "template", "spec", "containers", 0, "env"))
                .contains(Map.of("name", "REVISION", "value", "blue"));
        assertThat(list(find(render(more), "DaemonSet", "ztunnel"), "spec", "template", "spec", "containers", 0, "env"))
                .contains(Map.of("name", "XDS_ADDRESS", "value", "https://istiod-blue.istio-system.svc:15012"))
                .contains(Map.of("name", "CA_ADDRESS", "value", "https://istiod-blue.istio-system.svc:15012"));
        assertThat(at(find(render(more), "Role", "istiod-blue"), "rules", 3, "resourceNames"))
                .isEqualTo(List.of("istiod-culvert-blue"));
    }

    private static Map<?, ?> selector(Map<String, Object> object) {
        var said = (Map<?, ?>) at(object, "spec", "selector");
        return said.containsKey("matchLabels") ? (Map<?, ?>) said.get("matchLabels") : said;
    }

    private static List<String> names(List<Map<String, Object>> objects, String app) {
        return objects.stream()
                .filter(object -> app.equals(at(object, "metadata", "labels", "app")))
                .map(object -> object.get("kind") + " " + Documents.name(object))
                .toList();
    }

    @Test
    void anotherProgramSignsBesideTheController() throws Exception {
        var pod = at(
                find(
                        render(Map.of(
                                "istiod.signer.volume.emptyDir.medium",
                                "Memory",
                                "istiod.signer.container.name",
                                "signer",
                                "istiod.signer.container.image",
                                "a/signer")),
                        "Deployment",
                        "istiod"),
                "spec",
                "template",
                "spec");
        var mount = Map.of("name", "signer", "mountPath", "/var/run/culvert/signer");
        assertThat(list(pod, "containers", 0, "volumeMounts")).contains(mount);
        assertThat(list(pod, "containers", 0, "env"))
                .contains(Map.of("name", "CULVERT_SIGNER_DIR", "value", "/var/run/culvert/signer"));
        assertThat(list(pod, "containers").get(1))
                .isEqualTo(Map.of("name", "signer", "image", "a/signer", "volumeMounts", List.of(mount)));
        assertThat(list(pod, "volumes")).contains(Map.of("name", "signer", "emptyDir", Map.of("medium", "Memory")));
        assertThat(list(find(render(Map.of()), "Deployment", "istiod"), "spec", "template", "spec", "containers"))
                .hasSize(1);
    }

    @Test
    void valuesReachTheObjects() throws Exception {
        var sets = new LinkedHashMap<String, String>();
        sets.put("global.hub", "registry.example/mesh");
        sets.put("global.tag", "v7");
        sets.put("global.trustDomain", "example.org");
        sets.put("cni.excludeNamespaces[0]", "kube-system");
        sets.put("cni.excludeNamespaces[1]", "storage");
        sets.put("ztunnel.env.CULVERT_TUNNEL_IDLE", "30m");
        var objects = render(sets);
        var ztunnel = at(find(objects, "DaemonSet", "ztunnel"), "spec", "template", "spec", "containers", 0);
        assertThat(at(ztunnel, "image")).isEqualTo("registry.example/mesh/ztunnel:v7");
        assertThat(list(ztunnel, "env"))
                .contains(Map.of("name", "TRUST_DOMAIN", "value", "example.org"))
                .contains(Map.of("name", "CULVERT_TUNNEL_IDLE", "value", "30m"));
        var agent = at(find(objects, "DaemonSet", "istio-cni-node"), "spec", "template", "spec", "containers", 0);
        assertThat(list(agent, "env")).contains(Map.of("name", "EXCLUDE_NAMESPACES", "value", "kube-system,storage"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ztunnel.terminationGracePeriodSeconds=soon",
                "ztunnel.logFormat=xml",
                "ztunnel.nosuchvalue=1",
                "nosuchpart=x",
                "global.imagePullPolicy=Sometimes",
                "cni.probes=maybe",
                "istiod.replicas=0",
                "istiod.revision=Blue",
                "ztunnel.revision=a_b",
                "istiod.validation.failurePolicy=Perhaps",
            })
    void valuesThatDoNotFitAreRefusedByName(String setting) {
        var parts = setting.split("=", 2);
        assertThatThrownBy(() -> render(Map.of(parts[0], parts[1])))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(parts[0].substring(parts[0].lastIndexOf('.') + 1));
    }
}
