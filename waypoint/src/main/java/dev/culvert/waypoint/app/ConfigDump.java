package dev.culvert.waypoint.app;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Clusters;
import dev.culvert.waypoint.config.GovernedService;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.route.CompiledRoute;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// `/config_dump`: what the controller has said of each Service, and the clusters that its routes lead to, with their
/// endpoints as they are now. Item after item, so that it is never whole in memory.
record ConfigDump(
        ServiceConfigs.Snapshot configs,
        MeshSnapshot mesh,
        Clusters clusters,
        Optional<GatewayConfig> gateway,
        String identity) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Comparator<ClusterSpec.Key> BY_NAME = Comparator.comparing(ClusterSpec.Key::namespace)
            .thenComparing(ClusterSpec.Key::hostname)
            .thenComparingInt(ClusterSpec.Key::port)
            .thenComparing(ClusterSpec.Key::subset);

    void writeTo(OutputStream out) throws IOException {
        try (var json = JSON.getFactory()
                .createGenerator(out)
                .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                .useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("identity", identity);
            if (gateway.isPresent()) {
                json.writeFieldName("gateway");
                JSON.writeTree(json, ProtoJson.of(gateway.get()));
            }
            json.writeArrayFieldStart("services");
            for (var service : configs.services()) {
                JSON.writeTree(json, ProtoJson.of(service.said()));
            }
            json.writeEndArray();
            json.writeArrayFieldStart("clusters");
            for (var spec : specs().values()) {
                JSON.writeTree(json, cluster(spec));
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        out.write('\n');
    }

    private TreeMap<ClusterSpec.Key, ClusterSpec> specs() {
        var all = new TreeMap<ClusterSpec.Key, ClusterSpec>(BY_NAME);
        configs.all().stream()
                .flatMap(service -> service.ports().values().stream())
                .flatMap(ConfigDump::targets)
                .filter(target -> target.backend().getBrokenStatus() == 0)
                .forEach(target -> all.put(target.spec().key(), target.spec()));
        return all;
    }

    private static Stream<CompiledRoute.Target> targets(GovernedService.Port port) {
        var routed = port.routes().all().stream()
                .flatMap(route -> Stream.concat(
                        route.targets().all().stream(), route.shadows().stream().map(CompiledRoute.Shadow::target)));
        return Stream.concat(routed, port.raw().all().stream());
    }

    private ObjectNode cluster(ClusterSpec spec) {
        var cluster = clusters.peek(spec);
        var json = JsonNodeFactory.instance.objectNode();
        json.put("namespace", spec.key().namespace())
                .put("hostname", spec.key().hostname())
                .put("port", spec.key().port())
                .put("subset", spec.key().subset())
                .put("balancing", spec.traffic().algorithm().name())
                .put("connections", cluster.connections())
                .put("requests", cluster.requests());
        var hosts = json.putArray("hosts");
        for (var seen : cluster.seen(mesh, spec)) {
            hosts.add(host(seen));
        }
        return json;
    }

    private static ObjectNode host(Cluster.Seen seen) {
        var workload = seen.endpoint().workload();
        return JsonNodeFactory.instance
                .objectNode()
                .put("address", seen.endpoint().text())
                .put("workload", workload.namespace() + "/" + workload.name())
                .put("identity", workload.identity().toString())
                .put("health", seen.ejectedForNanos() > 0 ? "EJECTED" : "HEALTHY")
                .put(
                        "ejectedForMillis",
                        Duration.ofNanos(seen.ejectedForNanos()).toMillis())
                .put("activeRequests", seen.activeRequests());
    }
}
