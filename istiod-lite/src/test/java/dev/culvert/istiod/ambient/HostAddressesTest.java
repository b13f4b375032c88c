package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Allocated;
import dev.culvert.kube.read.YamlReader;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HostAddressesTest {
    private static final ObjectKey PIER = new ObjectKey(Kind.SERVICE_ENTRY, "quay", "pier");

    private static String entry(String name, int day, String spec) {
        return """
                ---
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: %s, namespace: quay, creationTimestamp: "2026-01-%02dT00:00:00Z"}
                spec: {%s}
                """.formatted(name, day, spec);
    }

    private static ObjectSet read(String yaml) {
        return ObjectSet.of(YamlReader.read(Path.of("quay.yaml"), yaml).objects(), List.of());
    }

    private static Allocated at(String address, String host) {
        return new Allocated(InetAddress.ofLiteral(address), host);
    }

    private static ObjectSet applied(ObjectSet objects) {
        var changes = HostAddresses.changes(objects);
        return ObjectSet.of(
                objects.objects().values().stream()
                        .<KubeObject>map(one -> one instanceof ServiceEntry entry && changes.containsKey(one.key())
                                ? entry.withAllocated(changes.getOrDefault(one.key(), List.of()))
                                : one)
                        .toList(),
                List.of());
    }

    @Test
    void eachHostGetsOneOfEachFamily() {
        var objects = read(entry("pier", 1, "hosts: [a.example, b.example], resolution: DNS"));
        assertThat(HostAddresses.changes(objects))
                .containsOnlyKeys(PIER)
                .containsEntry(
                        PIER,
                        List.of(
                                at("240.240.0.1", "a.example"),
                                at("2001:2::1", "a.example"),
                                at("240.240.0.2", "b.example"),
                                at("2001:2::2", "b.example")));
        assertThat(HostAddresses.changes(applied(objects))).isEmpty();
    }

    @Test
    void whatIsGivenBackIsNotNext() {
        var status =
                "status: {addresses: [{value: 240.240.0.9, host: a.example}, {value: '2001:2::9', host: a.example}]}\n";
        var objects = read(entry("pier", 1, "hosts: [a.example], resolution: DNS")
                + status
                + entry("pilot", 2, "hosts: [b.example], resolution: DNS"));
        assertThat(HostAddresses.changes(objects).values())
                .containsExactly(List.of(at("240.240.0.10", "b.example"), at("2001:2::a", "b.example")));
    }

    @Test
    void theOlderKeepsWhatTwoSay() {
        var status = "status: {addresses: [{value: 240.240.0.9, host: %s}, {value: '2001:2::%s', host: %1$s}]}\n";
        var objects = read(entry("young", 2, "hosts: [a.example], resolution: DNS")
                + status.formatted("a.example", "1")
                + entry("pier", 1, "hosts: [b.example], resolution: DNS")
                + status.formatted("b.example", "2"));
        assertThat(HostAddresses.changes(objects))
                .containsOnlyKeys(new ObjectKey(Kind.SERVICE_ENTRY, "quay", "young"))
                .containsValue(List.of(at("2001:2::1", "a.example"), at("240.240.0.10", "a.example")));
    }

    @Test
    void whatUsersGaveIsNobodyElses() {
        var objects = read(entry("pier", 1, "hosts: [a.example], resolution: DNS")
                + entry("pilot", 2, "hosts: [b.example], addresses: [240.240.0.1], resolution: STATIC"));
        assertThat(HostAddresses.changes(objects))
                .containsOnlyKeys(PIER)
                .containsValue(List.of(at("240.240.0.2", "a.example"), at("2001:2::1", "a.example")));
    }

    @Test
    void whoNoLongerWantsOneHasNone() {
        var status = "status: {addresses: [{value: 240.240.0.9, host: a.example}]}\n";
        assertThat(HostAddresses.changes(read(entry("pier", 1, "hosts: [a.example], resolution: NONE") + status)))
                .containsEntry(PIER, List.of());
    }

    @Test
    void theRangeEndsAndBeginsAnew() {
        var all = IntStream.range(0, 300)
                .mapToObj(i -> entry(
                        "e" + i,
                        1,
                        "resolution: DNS, hosts: ["
                                + IntStream.range(0, 230)
                                        .mapToObj(j -> "h" + (230 * i + j) + ".example")
                                        .collect(Collectors.joining(", "))
                                + "]"))
                .collect(Collectors.joining());
        var changes = HostAddresses.changes(read(all));
        var addresses = changes.values().stream()
                .flatMap(List::stream)
                .map(Allocated::address)
                .toList();
        // 69,000 hosts, 65,534 addresses of IPv4
        assertThat(addresses).hasSize(69_000 + 65_534).doesNotHaveDuplicates();
    }
}
