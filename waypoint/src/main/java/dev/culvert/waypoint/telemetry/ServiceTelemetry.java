package dev.culvert.waypoint.telemetry;

import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.protos.waypoint.Telemetry;
import dev.culvert.waypoint.trace.SpanRules;
import java.util.List;

/// What is told of the requests of a Service or a gateway. Immutable. Nothing in it is a reason to refuse what the
/// controller says: what cannot be understood is left out.
public final class ServiceTelemetry {
    /// As the process's own settings say.
    public static final ServiceTelemetry OF_PROCESS =
            new ServiceTelemetry(List.of(AccessLog.OF_PROCESS), SpanRules.NONE, MetricRules.NONE);

    private final List<AccessLog> logs;
    private final SpanRules spans;
    private final MetricRules metrics;

    private ServiceTelemetry(List<AccessLog> logs, SpanRules spans, MetricRules metrics) {
        this.logs = List.copyOf(logs);
        this.spans = spans;
        this.metrics = metrics;
    }

    public static ServiceTelemetry of(Telemetry said) {
        return new ServiceTelemetry(
                said.getAccessLogsList().stream().map(AccessLog::of).toList(),
                new SpanRules(said.getSpans()),
                MetricRules.of(said.getMetricsList()));
    }

    /// Whether any log may have a line.
    boolean isLogged(AccessFormat own) {
        for (var log : logs) {
            if (!log.isOff(own)) {
                return true;
            }
        }
        return false;
    }

    List<AccessLog> logs() {
        return logs;
    }

    SpanRules spans() {
        return spans;
    }

    MetricRules metrics() {
        return metrics;
    }
}
