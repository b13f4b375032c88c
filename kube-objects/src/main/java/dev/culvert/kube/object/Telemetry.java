package dev.culvert.kube.object;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A `telemetry.istio.io` Telemetry: what is told of requests.
///
/// @param selector of pods; empty for all
public record Telemetry(
        Metadata metadata,
        Map<String, String> selector,
        List<AuthorizationPolicy.Target> targetRefs,
        List<AccessLogging> accessLogging,
        List<Tracing> tracing,
        List<Metrics> metrics,
        Place place)
        implements KubeObject {
    /// Which side of a call is meant; a waypoint is a server's.
    public enum Mode {
        CLIENT_AND_SERVER,
        CLIENT,
        SERVER
    }

    /// @param disabled empty if it says nothing
    /// @param filter an expression; empty without one
    public record AccessLogging(Mode mode, List<String> providers, Optional<Boolean> disabled, String filter) {
        public AccessLogging {
            providers = List.copyOf(providers);
        }
    }

    /// @param percentage of the traces that begin here
    public record Tracing(
            Mode mode,
            List<String> providers,
            Optional<Double> percentage,
            Optional<Boolean> disabled,
            Map<String, Tag> tags) {
        public Tracing {
            providers = List.copyOf(providers);
            tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
        }
    }

    /// Where the value of a span's tag comes from.
    public sealed interface Tag {
        record Literal(String value) implements Tag {}

        record Header(String name, String otherwise) implements Tag {}

        record Environment(String name, String otherwise) implements Tag {}
    }

    public record Metrics(List<String> providers, List<Adjustment> overrides) {
        public Metrics {
            providers = List.copyOf(providers);
            overrides = List.copyOf(overrides);
        }
    }

    /// @param metric empty for all
    /// @param tags expression by name; an empty one takes the tag away
    public record Adjustment(Mode mode, Optional<Metric> metric, Optional<Boolean> disabled, Map<String, String> tags) {
        public Adjustment {
            tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
        }
    }

    /// As the API names them.
    public enum Metric {
        REQUEST_COUNT,
        REQUEST_DURATION,
        REQUEST_SIZE,
        RESPONSE_SIZE,
        TCP_OPENED_CONNECTIONS,
        TCP_CLOSED_CONNECTIONS,
        TCP_SENT_BYTES,
        TCP_RECEIVED_BYTES,
        GRPC_REQUEST_MESSAGES,
        GRPC_RESPONSE_MESSAGES
    }

    public Telemetry {
        selector = Map.copyOf(selector);
        targetRefs = List.copyOf(targetRefs);
        accessLogging = List.copyOf(accessLogging);
        tracing = List.copyOf(tracing);
        metrics = List.copyOf(metrics);
    }
}
