package dev.culvert.waypoint.trace;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// What becomes of traces, in OpenTelemetry's terms.
/// @param endpoint of the collector (OTLP by HTTP), without `/v1/traces`; empty: headers pass as they are
/// @param share of the requests that nobody has decided of, 0 to 1
/// @param timeout of one call of the collector
/// @param resource what spans say of this process
public record TraceSettings(Optional<URI> endpoint, double share, Duration timeout, Map<String, String> resource) {
    public TraceSettings {
        resource = Map.copyOf(resource);
    }

    /// The same with another time for a call.
    TraceSettings within(Duration other) {
        return new TraceSettings(endpoint, share, other, resource);
    }
}
