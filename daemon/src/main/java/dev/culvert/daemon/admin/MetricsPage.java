package dev.culvert.daemon.admin;

import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.daemon.metrics.OpenMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Shows a registry as OpenMetrics text, whatever is asked for; only the content type follows the `Accept` header.
public final class MetricsPage implements Page {
    private static final String OPEN_METRICS = "application/openmetrics-text;charset=utf-8;version=1.0.0";
    private static final String PLAIN = "text/plain; charset=utf-8";

    private final List<MetricFamily> families;
    private final MeterRegistry registry;

    public MetricsPage(List<MetricFamily> families, MeterRegistry registry) {
        this.families = List.copyOf(families);
        this.registry = registry;
    }

    @Override
    public Response answer(Request request) {
        var type = request.accept().contains("application/openmetrics-text") ? OPEN_METRICS : PLAIN;
        return Response.stream(type, out -> {
                    var text = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
                    OpenMetrics.write(families, registry, text);
                    text.flush();
                })
                .compressible();
    }
}
