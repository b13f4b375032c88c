package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Resolution;
import dev.culvert.kube.object.WorkloadEntry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServiceEntryReadingTest {
    private static final Path FILE = Path.of("quay.yaml");

    private static String entry(String spec) {
        return """
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: pier, namespace: quay}
                spec: {%s}
                """.formatted(spec);
    }

    @Test
    void allThatItSays() {
        var result = YamlReader.read(FILE, """
                apiVersion: networking.istio.io/v1beta1
                kind: ServiceEntry
                metadata: {name: pier, namespace: quay}
                spec:
                  hosts: [pier.example, pier.example, pilot.example]
                  location: MESH_INTERNAL
                  resolution: STATIC
                  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 90, name: raw}]
                  endpoints:
                  - address: 198.18.0.7
                    ports: {http: 8081}
                    labels: {app: pier}
                    network: far
                    locality: r/z
                    weight: 3
                    serviceAccount: pier
                  subjectAltNames: [pier]
                status:
                  addresses: [{value: 240.240.0.1, host: pier.example}]
                """);
        assertThat(result.problems()).isEmpty();
        var entry = (ServiceEntry) result.objects().getFirst();
        assertThat(entry.hosts()).containsExactly("pier.example", "pilot.example");
        assertThat(entry.resolution()).isEqualTo(Resolution.STATIC);
        assertThat(entry.ports())
                .containsExactly(
                        new ServiceEntry.Port("http", 80, 8080, "HTTP"), new ServiceEntry.Port("raw", 90, 90, ""));
        assertThat(entry.endpoints())
                .containsExactly(new WorkloadEntry.Spec(
                        "198.18.0.7", Map.of("http", 8081), Map.of("app", "pier"), "far", "r/z", 3, "pier"));
        assertThat(entry.subjectAltNames()).containsExactly("pier");
        assertThat(entry.allocated())
                .isEqualTo(List.of(new ServiceEntry.Allocated(InetAddress.ofLiteral("240.240.0.1"), "pier.example")));
    }

    @Test
    void labelsOfAWorkloadEntryAreBoth() {
        var result = YamlReader.read(FILE, """
                apiVersion: networking.istio.io/v1
                kind: WorkloadEntry
                metadata: {name: vm, namespace: quay, labels: {app: one, tier: gold}}
                spec: {address: vm.example, labels: {app: pier}}
                """);
        assertThat(result.problems()).isEmpty();
        assertThat(((WorkloadEntry) result.objects().getFirst()).labels())
                .isEqualTo(Map.of("app", "pier", "tier", "gold"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "resolution: DNS                                        | spec.hosts is empty",
                "hosts: ['*']                                           | \"*\" is not a host name",
                "hosts: [a/b]                                           | \"a/b\" is not a host name",
                "hosts: ['*.a'], resolution: DNS                        | cannot be looked up",
                "hosts: [a], resolution: STATICS                        | did you mean STATIC?",
                "hosts: [a], location: INSIDE                           | must be one of MESH_EXTERNAL",
                "hosts: [a], addresses: [1.2.3]                         | not an IP address",
                "hosts: [a], addresses: [10.0.0.0/33]                   | not an IP address or a range",
                "hosts: [a], addresses: [10.0.0.0/8], resolution: DNS   | cannot stand for one name",
                "hosts: [a], endpoints: [{address: 1.2.3.4}]            | mean nothing with resolution NONE",
                "hosts: [a], resolution: STATIC, endpoints: [{address: b}] | does not look up",
                "hosts: [a], resolution: DNS, endpoints: [{address: 'unix:///x'}] | UNIX sockets",
                "hosts: [a], resolution: DNS, endpoints: [{address: 'b c'}] | neither an IP address nor a name",
                "hosts: [a], resolution: DNS, endpoints: [{}]           | address is missing",
                "hosts: [a], resolution: DNS, endpoints: [{address: b, ports: {x: 0}}] | must be an integer 1..65535",
                "hosts: [a], resolution: DNS_ROUND_ROBIN, endpoints: [{address: b}, {address: c}] | takes one",
                "hosts: [a], resolution: DNS, endpoints: [{address: b}], workloadSelector: {labels: {x: y}} | has both",
                "hosts: [a], ports: [{number: 80}]                      | name is missing",
                "hosts: [a], ports: [{name: x}]                         | number is missing",
                "hosts: [a], ports: [{name: x, number: 1}, {name: x, number: 2}] | two ports are named x",
                "hosts: [a], ports: [{name: x, number: 1}, {name: y, number: 1}] | two ports have the number 1",
                "hosts: [a], port: []                                   | did you mean ports?"
            })
    void mistakesAreNamed(String spec, String message) {
        var result = YamlReader.read(FILE, entry(spec));
        assertThat(result.objects()).isEmpty();
        assertThat(result.problems().toString())
                .contains("ServiceEntry quay/pier")
                .contains(message);
        assertThat(result.problems())
                .extracting(Problem::severity)
                .contains(Problem.Severity.ERROR)
                .doesNotContain(Problem.Severity.WARNING);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hosts: [a], exportTo: ['.']    | hides nothing from node proxies",
                "hosts: [a], resolution: STATIC | nothing answers"
            })
    void whatDoesNothingIsToldOf(String spec, String message) {
        var result = YamlReader.read(FILE, entry(spec));
        assertThat(result.objects()).hasSize(1);
        assertThat(result.problems().toString()).contains(message);
    }

    @ParameterizedTest
    @CsvSource({
        "DNS, a.b, '', true",
        "STATIC, a.b, '', true",
        "NONE, a.b, '', false",
        "DYNAMIC_DNS, *.b, '', true",
        "STATIC, *.b, '', false",
        "DNS, a.b, 'False', false"
    })
    void whichHostsWantAnAddress(Resolution resolution, String host, String label, boolean wants) {
        var labels = label.isEmpty() ? "" : "labels: {networking.istio.io/enable-autoallocate-ip: \"" + label + "\"}, ";
        var yaml = entry("hosts: ['" + host + "'], resolution: " + resolution)
                .replace("{name: pier, ", "{" + labels + "name: pier, ");
        var entry = (ServiceEntry) YamlReader.read(FILE, yaml).objects().getFirst();
        assertThat(entry.wantsAddress(host)).isEqualTo(wants);
    }
}
