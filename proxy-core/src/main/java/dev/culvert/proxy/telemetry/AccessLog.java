package dev.culvert.proxy.telemetry;

import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/// One line at the end of each connection (at debug, also at its start), in Istio's fields and order.
public final class AccessLog {
    private static final Logger LOG = LoggerFactory.getLogger("access");

    private AccessLog() {}

    /// @param hboneAddress the authority, or "" where there is no tunnel
    public record Endpoints(InetSocketAddress source, InetSocketAddress destination, String hboneAddress) {}

    /// @param bytesSent seen from the reporting workload
    /// @param error "" if it ended well
    public record Outcome(long bytesSent, long bytesReceived, Duration duration, String error) {}

    /// At the start, for whoever debugs.
    public static void opened(Traffic traffic, Endpoints endpoints) {
        if (LOG.isDebugEnabled()) {
            destination(source(LOG.atDebug(), traffic, endpoints), traffic, endpoints)
                    .addKeyValue("direction", direction(traffic))
                    .log("connection opened");
        }
    }

    private static String direction(Traffic traffic) {
        return traffic.reporter() == Traffic.Reporter.SOURCE ? "outbound" : "inbound";
    }

    public static void complete(Traffic traffic, Endpoints endpoints, Outcome outcome) {
        var level = outcome.error.isEmpty() ? Level.INFO : Level.ERROR;
        if (!LOG.isEnabledForLevel(level)) {
            return;
        }
        var line = destination(source(LOG.atLevel(level), traffic, endpoints), traffic, endpoints)
                .addKeyValue("direction", direction(traffic))
                .addKeyValue("bytes_sent", outcome.bytesSent)
                .addKeyValue("bytes_recv", outcome.bytesReceived)
                .addKeyValue("duration", outcome.duration.toMillis() + "ms");
        text(line, "error", outcome.error).log("connection complete");
    }

    private static LoggingEventBuilder source(LoggingEventBuilder to, Traffic traffic, Endpoints endpoints) {
        var source = traffic.source();
        var identity = traffic.mutualTls() && source.identity() != null
                ? source.identity().toString()
                : "";
        var line = to.addKeyValue("src.addr", new Shown(Addresses.text(endpoints.source)));
        line = text(line, "src.workload", source.name());
        line = text(line, "src.namespace", source.namespace());
        line = text(line, "src.identity", identity);
        return text(line, "src.cluster", source.cluster());
    }

    private static LoggingEventBuilder destination(LoggingEventBuilder to, Traffic traffic, Endpoints endpoints) {
        var line = to.addKeyValue("dst.addr", new Shown(Addresses.text(endpoints.destination)));
        if (!endpoints.hboneAddress.isEmpty()) {
            line = line.addKeyValue("dst.hbone_addr", new Shown(endpoints.hboneAddress));
        }
        line = text(
                line,
                "dst.service",
                traffic.service() == null ? "" : traffic.service().hostname());
        var destination = traffic.destination();
        var identity = destination.identity();
        line = text(line, "dst.workload", destination.name());
        line = text(line, "dst.namespace", destination.namespace());
        line = text(line, "dst.identity", traffic.mutualTls() && identity != null ? identity.toString() : "");
        return text(line, "dst.cluster", destination.cluster());
    }

    private static LoggingEventBuilder text(LoggingEventBuilder line, String key, String value) {
        return value.isEmpty() ? line : line.addKeyValue(key, value);
    }

    /// Refused before anything was known about it.
    public static void failed(InetSocketAddress source, InetSocketAddress destination, String direction, String error) {
        LOG.atWarn()
                .addKeyValue("src.addr", new Shown(Addresses.text(source)))
                .addKeyValue("dst.addr", new Shown(Addresses.text(destination)))
                .addKeyValue("direction", direction)
                .addKeyValue("error", error)
                .log("connection failed");
    }

    /// Printed without quotes.
    private record Shown(String text) {
        @Override
        public String toString() {
            return text;
        }
    }
}
