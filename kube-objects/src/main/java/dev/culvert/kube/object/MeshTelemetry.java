package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What the mesh's configuration says of access logs, traces and metrics.
///
/// @param file `accessLogFile`; empty if it is not written, which is something else than an empty text
/// @param form of lines where nobody says another
/// @param tracing `enableTracing`
/// @param sampling `defaultConfig.tracing.sampling`, in percent
public record MeshTelemetry(
        Optional<String> file,
        Form form,
        boolean tracing,
        Optional<Double> sampling,
        List<Receiver> providers,
        Defaults defaults) {
    public static final MeshTelemetry NONE = new MeshTelemetry(
            Optional.empty(),
            Form.DEFAULT,
            true,
            Optional.empty(),
            List.of(),
            new Defaults(List.of(), List.of(), List.of()));

    /// @param format of a line, or a JSON object of such; empty for Istio's own
    public record Form(boolean json, String format) {
        public static final Form DEFAULT = new Form(false, "");
    }

    /// By name, where no Telemetry names any.
    public record Defaults(List<String> accessLogging, List<String> tracing, List<String> metrics) {
        public Defaults {
            accessLogging = List.copyOf(accessLogging);
            tracing = List.copyOf(tracing);
            metrics = List.copyOf(metrics);
        }
    }

    /// Somebody who is told.
    public sealed interface Receiver {
        String name();

        /// Lines of the process's standard output.
        /// @param form empty for the mesh's
        record FileLog(String name, Optional<Form> form) implements Receiver {}

        /// A collector of spans, by OTLP.
        /// @param path of OTLP by HTTP; empty for one by gRPC
        record Collector(String name, String host, int port, String path, Optional<Duration> timeout)
                implements Receiver {}

        /// @param what it is, as the API names it
        record Other(String name, String what) implements Receiver {}
    }

    public MeshTelemetry {
        providers = List.copyOf(providers);
    }

    /// Names are compared without regard to case.
    public Optional<Receiver> provider(String name) {
        return providers.stream()
                .filter(one -> one.name().equalsIgnoreCase(name))
                .findFirst();
    }
}
