package dev.culvert.proxy.telemetry;

import dev.culvert.hbone.headers.Baggage;
import dev.culvert.mesh.model.workload.Workload;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Istio's label set of the TCP metrics, in its order; what is missing is `unknown`.
final class TrafficLabels {
    private static final String UNKNOWN = "unknown";

    private TrafficLabels() {}

    static Tags of(Traffic traffic, String flags) {
        var tags = new ArrayList<Tag>(27);
        tags.add(Tag.of("reporter", traffic.reporter().label()));
        source(tags, traffic);
        destination(tags, traffic);
        tags.add(Tag.of("request_protocol", "tcp"));
        tags.add(Tag.of("response_flags", flags));
        tags.add(Tag.of("connection_security_policy", traffic.mutualTls() ? "mutual_tls" : UNKNOWN));
        locality(tags, "source", traffic.source().workload());
        locality(tags, "destination", traffic.destination());
        return Tags.of(tags);
    }

    private static void source(List<Tag> tags, Traffic traffic) {
        var source = traffic.source();
        var identity = source.identity() != null && traffic.mutualTls()
                ? source.identity().toString()
                : "";
        if (source.workload() != null) {
            workload(tags, "source", source.workload(), identity);
        } else {
            fromBaggage(tags, source.baggage(), identity);
        }
    }

    private static void fromBaggage(List<Tag> tags, Baggage baggage, String principal) {
        var name = firstOf(
                baggage.get("k8s.deployment.name"),
                baggage.get("k8s.pod.name"),
                baggage.get("k8s.cronjob.name"),
                baggage.get("k8s.job.name"));
        put(tags, "source_workload", name);
        put(tags, "source_canonical_service", baggage.get("service.name"));
        put(tags, "source_canonical_revision", baggage.get("service.version"));
        put(tags, "source_workload_namespace", baggage.get("k8s.namespace.name"));
        put(tags, "source_principal", principal);
        put(tags, "source_app", name);
        put(tags, "source_version", baggage.get("service.version"));
        put(tags, "source_cluster", baggage.get("k8s.cluster.name"));
    }

    private static String firstOf(String... values) {
        for (var value : values) {
            if (!value.isEmpty()) {
                return value;
            }
        }
        return "";
    }

    private static void workload(List<Tag> tags, String side, @Nullable Workload workload, String principal) {
        var names = workload == null ? null : workload.names();
        put(tags, side + "_workload", names == null ? "" : names.workloadName());
        put(tags, side + "_canonical_service", names == null ? "" : names.canonicalName());
        put(tags, side + "_canonical_revision", names == null ? "" : names.canonicalRevision());
        put(tags, side + "_workload_namespace", names == null ? "" : names.namespace());
        put(tags, side + "_principal", principal);
        put(tags, side + "_app", names == null ? "" : names.canonicalName());
        put(tags, side + "_version", names == null ? "" : names.canonicalRevision());
        put(tags, side + "_cluster", workload == null ? "" : workload.place().clusterId());
    }

    private static void destination(List<Tag> tags, Traffic traffic) {
        var service = traffic.service();
        put(tags, "destination_service", service == null ? "" : service.hostname());
        put(tags, "destination_service_namespace", service == null ? "" : service.namespace());
        put(tags, "destination_service_name", service == null ? "" : service.name());
        var destination = traffic.destination();
        workload(
                tags,
                "destination",
                destination,
                destination == null ? "" : destination.identity().toString());
    }

    private static void locality(List<Tag> tags, String side, @Nullable Workload workload) {
        put(
                tags,
                side + "_region",
                workload == null ? "" : workload.place().locality().region());
        put(
                tags,
                side + "_zone",
                workload == null ? "" : workload.place().locality().zone());
    }

    private static void put(List<Tag> tags, String key, String value) {
        tags.add(Tag.of(key, value.isEmpty() ? UNKNOWN : value));
    }
}
