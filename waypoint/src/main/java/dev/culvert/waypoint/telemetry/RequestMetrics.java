package dev.culvert.waypoint.telemetry;

import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Istio's HTTP metrics as a waypoint reports them, and our own. Thread-safe.
public final class RequestMetrics {
    /// Further label sets are counted in `culvert_metric_label_overflow_total` only.
    private static final int MAX_LABEL_SETS = 20_000;
    private static final int MAX_POLICIES = 1_000;
    private static final String UNKNOWN = "unknown";

    /// Istio's.
    private static final double[] BUCKETS = {
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000
    };

    /// Istio's label set, in its order.
    private static final List<String> LABELS = List.of(
            "reporter",
            "source_workload",
            "source_canonical_service",
            "source_canonical_revision",
            "source_workload_namespace",
            "source_principal",
            "source_app",
            "source_version",
            "source_cluster",
            "destination_workload",
            "destination_workload_namespace",
            "destination_principal",
            "destination_app",
            "destination_version",
            "destination_service",
            "destination_canonical_service",
            "destination_canonical_revision",
            "destination_service_name",
            "destination_service_namespace",
            "destination_cluster",
            "request_protocol",
            "response_code",
            "grpc_response_status",
            "response_flags",
            "connection_security_policy");

    public static final List<MetricFamily> FAMILIES = List.of(
            MetricFamily.counter("istio_requests_total", "Requests that have ended", names()),
            new MetricFamily(
                    "istio_request_duration_milliseconds",
                    MetricFamily.Type.HISTOGRAM,
                    LABELS,
                    "Milliseconds from the first byte of a request to the end of its answer",
                    "",
                    false),
            histogram("istio_request_bytes", "Bytes of a request, header and body"),
            histogram("istio_response_bytes", "Bytes of an answer, header and body"),
            MetricFamily.counter("istio_request_messages_total", "Messages of gRPC that clients have sent", names()),
            MetricFamily.counter("istio_response_messages_total", "Messages of gRPC that clients were sent", names()),
            MetricFamily.counter("istio_tcp_connections_opened_total", "Connections without HTTP", tcpNames()),
            MetricFamily.counter(
                    "istio_tcp_connections_closed_total", "Connections without HTTP that have ended", tcpNames()),
            MetricFamily.counter(
                    "istio_tcp_sent_bytes_total",
                    "Bytes that clients of connections without HTTP were sent",
                    tcpNames()),
            MetricFamily.counter(
                    "istio_tcp_received_bytes_total",
                    "Bytes that clients of connections without HTTP have sent",
                    tcpNames()),
            MetricFamily.counter("culvert_waypoint_denied_total", "Requests refused by policy", "policy"),
            MetricFamily.counter(
                    "culvert_waypoint_told_total",
                    "Requests that a policy of action AUDIT or a dry run has an opinion of",
                    "policy",
                    "what"),
            MetricFamily.counter(
                    "culvert_waypoint_forged_headers_total",
                    "Headers of clients that claimed what only the tunnel can tell, and were removed",
                    "header"),
            MetricFamily.counter(
                    "culvert_waypoint_ejections_total",
                    "Endpoints that got no requests for a while because they failed",
                    "service"),
            MetricFamily.counter("culvert_waypoint_limits_total", "Times that a limit was reached", "limit"),
            MetricFamily.counter(
                    "culvert_metric_label_overflow_total",
                    "Events not counted by label because there are too many label sets"));

    /// @param destination null if no endpoint was chosen
    /// @param values of labels that users have asked for
    record Key(
            @Nullable Workload client,
            @Nullable SpiffeId identity,
            @Nullable Workload destination,
            @Nullable Service service,
            String protocol,
            int status,
            String grpcStatus,
            String flags,
            MetricRules.Values values) {
        /// Of what tells most of them apart: all of a workload's fields at each request cost more.
        @Override
        public int hashCode() {
            var peers = Objects.hash(
                    client == null ? "" : client.uid(),
                    destination == null ? "" : destination.uid(),
                    service == null ? "" : service.hostname(),
                    flags);
            return 31 * (31 * peers + status) + values.hashCode();
        }
    }

    /// Null are those that are not counted.
    private record Meters(
            @Nullable Counter requests,
            @Nullable DistributionSummary millis,
            @Nullable DistributionSummary received,
            @Nullable DistributionSummary sent) {}

    /// Of connections without HTTP.
    private record TcpMeters(
            @Nullable Counter opened,
            @Nullable Counter closed,
            @Nullable Counter sent,
            @Nullable Counter received) {}

    private record MessageMeters(
            @Nullable Counter received, @Nullable Counter sent) {}

    private final MeterRegistry registry;
    private final Map<Key, Meters> meters = new ConcurrentHashMap<>();
    private final Map<Key, TcpMeters> tcpMeters = new ConcurrentHashMap<>();
    private final Map<Key, MessageMeters> messageMeters = new ConcurrentHashMap<>();
    private final Map<String, Counter> policies = new ConcurrentHashMap<>();
    private final Counter overflow;

    public RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.overflow = registry.counter("culvert_metric_label_overflow");
    }

    private static String[] names() {
        return LABELS.toArray(String[]::new);
    }

    private static boolean isOfHttp(String label) {
        return label.equals("response_code") || label.equals("grpc_response_status");
    }

    private static String[] tcpNames() {
        return LABELS.stream().filter(label -> !isOfHttp(label)).toArray(String[]::new);
    }

    private static MetricFamily histogram(String name, String help) {
        return new MetricFamily(name, MetricFamily.Type.HISTOGRAM, LABELS, help, "", false);
    }

    /// A connection without HTTP, of which is counted what is new. Confined to one loop.
    static final class Connection {
        private final @Nullable TcpMeters meters;
        private long countedReceived;
        private long countedSent;

        private Connection(@Nullable TcpMeters meters) {
            this.meters = meters;
        }

        /// @param received from the client so far
        void moved(long received, long sent) {
            if (meters != null) {
                count(meters.received, (double) received - countedReceived);
                count(meters.sent, (double) sent - countedSent);
            }
            countedReceived = received;
            countedSent = sent;
        }
    }

    /// Of a call of gRPC that is under way or has ended.
    /// @param key as far as it is known then
    /// @param received new ones from the client
    void messages(Key key, long received, long sent) {
        if (received > 0 || sent > 0) {
            var found = messageMeters.get(key);
            if (found == null && messageMeters.size() >= MAX_LABEL_SETS) {
                overflow.increment();
                return;
            }
            var meters = found == null ? messageMeters.computeIfAbsent(key, this::registerMessages) : found;
            count(meters.received, (double) received);
            count(meters.sent, (double) sent);
        }
    }

    private MessageMeters registerMessages(Key key) {
        var tags = tags(key);
        return new MessageMeters(
                counter(Metric.GRPC_REQUEST_MESSAGES, "istio_request_messages", key, tags),
                counter(Metric.GRPC_RESPONSE_MESSAGES, "istio_response_messages", key, tags));
    }

    /// A connection without HTTP has begun.
    /// @param key as far as it is known then
    Connection opened(Key key) {
        var found = tcp(key);
        if (found != null) {
            count(found.opened, 1);
        }
        return new Connection(found);
    }

    void closed(Key key) {
        var found = tcp(key);
        if (found != null) {
            count(found.closed, 1);
        }
    }

    private @Nullable TcpMeters tcp(Key key) {
        var found = tcpMeters.get(key);
        if (found == null && tcpMeters.size() >= MAX_LABEL_SETS) {
            overflow.increment();
            return null;
        }
        return found == null ? tcpMeters.computeIfAbsent(key, this::registerTcp) : found;
    }

    private TcpMeters registerTcp(Key key) {
        var tags = tags(key).stream().filter(tag -> !isOfHttp(tag.getKey())).toList();
        return new TcpMeters(
                counter(Metric.TCP_OPENED_CONNECTIONS, "istio_tcp_connections_opened", key, tags),
                counter(Metric.TCP_CLOSED_CONNECTIONS, "istio_tcp_connections_closed", key, tags),
                counter(Metric.TCP_SENT_BYTES, "istio_tcp_sent_bytes", key, tags),
                counter(Metric.TCP_RECEIVED_BYTES, "istio_tcp_received_bytes", key, tags));
    }

    void ended(Key key, Duration took, long received, long sent) {
        var found = meters.get(key);
        if (found == null) {
            if (meters.size() >= MAX_LABEL_SETS) {
                overflow.increment();
                return;
            }
            found = meters.computeIfAbsent(key, this::register);
        }
        count(found.requests, 1);
        record(found.millis, took.toNanos() / 1e6);
        record(found.received, (double) received);
        record(found.sent, (double) sent);
    }

    private Meters register(Key key) {
        var tags = tags(key);
        return new Meters(
                counter(Metric.REQUEST_COUNT, "istio_requests", key, tags),
                summary(Metric.REQUEST_DURATION, "istio_request_duration_milliseconds", key, tags),
                summary(Metric.REQUEST_SIZE, "istio_request_bytes", key, tags),
                summary(Metric.RESPONSE_SIZE, "istio_response_bytes", key, tags));
    }

    private static void count(@Nullable Counter counter, double more) {
        if (counter != null) {
            counter.increment(more);
        }
    }

    private static void record(@Nullable DistributionSummary summary, double value) {
        if (summary != null) {
            summary.record(value);
        }
    }

    private @Nullable Counter counter(Metric metric, String name, Key key, List<Tag> tags) {
        return key.values
                .tags(metric, tags)
                .map(all -> registry.counter(name, all))
                .orElse(null);
    }

    private @Nullable DistributionSummary summary(Metric metric, String name, Key key, List<Tag> tags) {
        return key.values
                .tags(metric, tags)
                .map(all -> DistributionSummary.builder(name)
                        .tags(all)
                        .serviceLevelObjectives(BUCKETS)
                        .register(registry))
                .orElse(null);
    }

    private static List<Tag> tags(Key key) {
        var values = new ArrayList<String>(LABELS.size());
        var client = key.client;
        values.add("waypoint");
        values.add(client == null ? "" : client.names().workloadName());
        values.add(client == null ? "" : client.names().canonicalName());
        values.add(client == null ? "" : revision(client));
        values.add(key.identity == null ? "" : key.identity.namespace());
        values.add(key.identity == null ? "" : key.identity.toString());
        values.add(client == null ? "" : client.names().canonicalName());
        values.add(client == null ? "" : client.names().canonicalRevision());
        values.add(client == null ? "" : client.place().clusterId());
        var to = key.destination;
        values.add(to == null ? "" : to.names().workloadName());
        values.add(to == null ? "" : to.namespace());
        values.add(to == null ? "" : to.identity().toString());
        values.add(to == null ? "" : to.names().canonicalName());
        values.add(to == null ? "" : to.names().canonicalRevision());
        var service = key.service;
        values.add(service == null ? "" : service.hostname());
        values.add(to == null ? "" : to.names().canonicalName());
        values.add(to == null ? "" : to.names().canonicalRevision());
        values.add(service == null ? "" : service.name());
        values.add(service == null ? "" : service.namespace());
        values.add(to == null ? "" : to.place().clusterId());
        values.add(key.protocol);
        values.add(Integer.toString(key.status));
        values.add(key.grpcStatus);
        values.add(key.flags);
        values.add(key.identity == null ? "none" : "mutual_tls");
        var tags = new ArrayList<Tag>(LABELS.size());
        for (var i = 0; i < LABELS.size(); i++) {
            var name = LABELS.get(i);
            var value = values.get(i);
            tags.add(Tag.of(name, value.isEmpty() && !name.equals("grpc_response_status") ? UNKNOWN : value));
        }
        return tags;
    }

    /// Of a source that says none it is `latest`, as with Istio; of a destination it is unknown.
    private static String revision(Workload client) {
        var said = client.names().canonicalRevision();
        return said.isEmpty() ? "latest" : said;
    }

    void denied(String policy) {
        var found = policies.get(policy);
        if (found == null && policies.size() < MAX_POLICIES) {
            found = policies.computeIfAbsent(
                    policy,
                    name -> registry.counter("culvert_waypoint_denied", "policy", name.isEmpty() ? "none" : name));
        }
        (found == null ? overflow : found).increment();
    }

    /// @param what `audit`, or what a dry run would have done
    void told(String policy, String what) {
        var key = what + " " + policy;
        var found = policies.get(key);
        if (found == null && policies.size() < MAX_POLICIES) {
            found = policies.computeIfAbsent(
                    key, _ -> registry.counter("culvert_waypoint_told", "policy", policy, "what", what));
        }
        (found == null ? overflow : found).increment();
    }

    /// @param hostname of the Service that an endpoint was taken out of
    public void ejected(String hostname) {
        registry.counter("culvert_waypoint_ejections", "service", hostname).increment();
    }

    public void forged(String header) {
        registry.counter("culvert_waypoint_forged_headers", "header", header).increment();
    }

    /// @param limit its name
    public void limited(String limit) {
        registry.counter("culvert_waypoint_limits", "limit", limit).increment();
    }
}
