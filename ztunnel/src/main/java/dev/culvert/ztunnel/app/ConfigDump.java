package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.relay.LiveConnection.Description;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `/config_dump`, in the shape that `istioctl` reads: keys sorted, two spaces, item after item, so that a big mesh is
/// never whole in memory a second time.
/// @param settings the values of `config`, and of `version`
/// @param local the mesh that was given as YAML, read again now, or null
record ConfigDump(
        MeshSnapshot mesh,
        List<CertificateStore.Status> certificates,
        List<PodView> pods,
        List<Description> live,
        Settings settings,
        @Nullable LocalMesh local) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    /// @param id uid, name and account
    /// @param up whether it runs
    record PodView(PodId id, boolean up) {}

    record Settings(ObjectNode config, ObjectNode version) {}

    private static DefaultPrettyPrinter pretty() {
        var lines = new DefaultIndenter("  ", "\n");
        return new DefaultPrettyPrinter(Separators.createDefaultInstance()
                        .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                        .withObjectEmptySeparator("")
                        .withArrayEmptySeparator(""))
                .withObjectIndenter(lines)
                .withArrayIndenter(lines);
    }

    void writeTo(OutputStream out) throws IOException {
        try (var json = JSON.getFactory()
                .createGenerator(out)
                .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                .setPrettyPrinter(pretty())) {
            json.writeStartObject();
            list(
                    json,
                    "certificates",
                    byText(certificates, status -> status.identity().toString()),
                    this::certificate);
            value(json, "config", settings.config);
            list(json, "policies", byText(mesh.policies(), Policy::key), (to, policy) -> MeshJson.policy(to, policy));
            list(
                    json,
                    "services",
                    byText(mesh.services(), Service::hostname),
                    (to, service) -> MeshJson.service(to, mesh, service));
            staged(json);
            value(json, "staticConfig", fixed());
            value(json, "version", settings.version);
            json.writeObjectFieldStart("workloadState");
            var open = live.stream().collect(Collectors.groupingBy(Description::podUid));
            for (var pod : byText(pods, view -> view.id.uid())) {
                state(json, pod, open.getOrDefault(pod.id.uid(), List.of()));
            }
            json.writeEndObject();
            list(json, "workloads", byText(mesh.workloads(), Workload::uid), MeshJson::workload);
            json.writeEndObject();
        }
        out.write('\n');
    }

    private static <T> List<T> byText(Collection<T> items, Function<T, String> key) {
        return items.stream().sorted(Comparator.comparing(key)).toList();
    }

    private static <T> void list(JsonGenerator json, String name, List<T> items, BiConsumer<ObjectNode, T> fill)
            throws IOException {
        json.writeArrayFieldStart(name);
        for (var item : items) {
            var node = JsonNodeFactory.instance.objectNode();
            fill.accept(node, item);
            sorted(json, node);
        }
        json.writeEndArray();
    }

    private static void value(JsonGenerator json, String name, JsonNode node) throws IOException {
        json.writeFieldName(name);
        sorted(json, node);
    }

    /// As maps, whose keys the mapper sorts.
    private static void sorted(JsonGenerator json, JsonNode node) throws IOException {
        JSON.writeValue(json, JSON.treeToValue(node, Object.class));
    }

    private void staged(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("stagedServices");
        var all = mesh.stagedEndpoints();
        for (var key : byText(all.keySet(), Object::toString)) {
            var of = JsonNodeFactory.instance.objectNode();
            for (var endpoint : all.getOrDefault(key, Map.of()).values()) {
                MeshJson.endpoint(of.putObject(endpoint.workloadUid()), mesh, endpoint);
            }
            value(json, key.toString(), of);
        }
        json.writeEndObject();
    }

    private ObjectNode fixed() {
        return (local == null ? new LocalMesh(List.of(), List.of(), List.of()) : local).json();
    }

    private void certificate(ObjectNode out, CertificateStore.Status status) {
        out.put("identity", status.identity().toString()).put("state", status.state());
        var held = status.certificate();
        chain(out.putArray("certChain"), held == null ? List.of() : held.chain());
        chain(out.putArray("rootCerts"), held == null ? List.of() : held.roots());
    }

    private static void chain(ArrayNode out, List<X509Certificate> certificates) {
        for (var certificate : certificates) {
            out.addObject()
                    .put("pem", pem(certificate))
                    .put("serialNumber", certificate.getSerialNumber().toString())
                    .put("validFrom", time(certificate.getNotBefore()))
                    .put("expirationTime", time(certificate.getNotAfter()));
        }
    }

    private static String time(Date date) {
        return date.toInstant().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String pem(X509Certificate certificate) {
        try {
            var body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded());
            var text = "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n";
            return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate can be encoded", e);
        }
    }

    private static void state(JsonGenerator json, PodView pod, List<Description> open) throws IOException {
        json.writeObjectFieldStart(pod.id.uid());
        if (pod.up) {
            json.writeObjectFieldStart("connections");
            connections(
                    json, "inbound", open.stream().filter(Description::inbound).toList());
            connections(
                    json,
                    "outbound",
                    open.stream().filter(connection -> !connection.inbound()).toList());
            json.writeEndObject();
        }
        var info = JsonNodeFactory.instance.objectNode();
        info.put("name", pod.id.name()).put("namespace", pod.id.namespace());
        info.put("serviceAccount", pod.id.serviceAccount());
        value(json, "info", info);
        json.writeStringField("state", pod.up ? "Up" : "Pending");
        json.writeEndObject();
    }

    private static void connections(JsonGenerator json, String name, List<Description> open) throws IOException {
        list(
                json,
                name,
                open,
                (out, connection) -> out.put("src", Addresses.text(connection.source()))
                        .put("originalDst", connection.original())
                        .put("actualDst", Addresses.text(connection.actual()))
                        .put("protocol", connection.protocol()));
    }
}
