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
        var source = traffic.source();
        party(tags, "source", source, source.identity() != null && traffic.mutualTls());
        destination(tags, traffic);
        tags.add(Tag.of("request_protocol", "tcp"));
        tags.add(Tag.of("response_flags", flags));
        tags.add(Tag.of("connection_security_policy", traffic.mutualTls() ? "mutual_tls" : UNKNOWN));
        locality(tags, "source", source.workload());
        locality(tags, "destination", traffic.destination().workload());
        return Tags.of(tags);
    }

    static Tags source(Traffic.Party party) {
        var tags = new ArrayList<Tag>(8);
        party(tags, "source", party, true);
        return Tags.of(tags);
    }

    private static void party(List<Tag> tags, String side, Traffic.Party party, boolean named) {
        var identity = named && party.identity() != null ? party.identity().toString() : "";
        if (party.workload() != null) {
            workload(tags, side, party.workload(), identity);
        } else {
            fromBaggage(tags, side, party.baggage(), identity);
        }
    }

    private static void fromBaggage(List<Tag> tags, String side, Baggage baggage, String principal) {
        var name = firstOf(
                baggage.get("k8s.deployment.name"),
                baggage.get("k8s.pod.name"),
                baggage.get("k8s.cronjob.name"),
                baggage.get("k8s.job.name"));
        put(tags, side + "_workload", name);
        put(tags, side + "_canonical_service", baggage.get("service.name"));
        put(tags, side + "_canonical_revision", baggage.get("service.version"));
        put(tags, side + "_workload_namespace", baggage.get("k8s.namespace.name"));
        put(tags, side + "_principal", principal);
        put(tags, side + "_app", name);
        put(tags, side + "_version", baggage.get("service.version"));
        put(tags, side + "_cluster", baggage.get("k8s.cluster.name"));
    }

    private static String firstOf(String... values) {
        for (var value : values) {
            if (!value.isEmpty()) {
                return value;
            }
        }
        return "";
    }

    private static void workload(List<Tag> tags, String side, Workload workload, String principal) {
        var names = workload.names();
        put(tags, side + "_workload", names.workloadName());
        put(tags, side + "_canonical_service", names.canonicalName());
        put(tags, side + "_canonical_revision", names.canonicalRevision());
        put(tags, side + "_workload_namespace", names.namespace());
        put(tags, side + "_principal", principal);
        put(tags, side + "_app", names.canonicalName());
        put(tags, side + "_version", names.canonicalRevision());
        put(tags, side + "_cluster", workload.place().clusterId());
    }

    private static void destination(List<Tag> tags, Traffic traffic) {
        var service = traffic.service();
        put(tags, "destination_service", service == null ? "" : service.hostname());
        put(tags, "destination_service_namespace", service == null ? "" : service.namespace());
        put(tags, "destination_service_name", service == null ? "" : service.name());
        party(tags, "destination", traffic.destination(), true);
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
        tags.add(Tag.of(key, value.isEmpty() ? UNKNOWN : value.intern())); // the same few, in thousands of sets
    }
}
