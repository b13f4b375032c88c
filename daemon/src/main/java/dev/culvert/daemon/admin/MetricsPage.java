package dev.culvert.daemon.admin;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/// Shows a registry as OpenMetrics text, whatever is asked for; only the content type follows the `Accept` header.
public final class MetricsPage implements Page {
    private static final String OPEN_METRICS = "application/openmetrics-text;charset=utf-8;version=1.0.0";
    private static final String SCRAPE_FORMAT = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private static final String PLAIN = "text/plain; charset=utf-8";

    private final PrometheusMeterRegistry registry;

    public MetricsPage(PrometheusMeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public Response answer(Request request) {
        var type = request.accept().contains("application/openmetrics-text") ? OPEN_METRICS : PLAIN;
        return new Response(200, type, out -> registry.scrape(out, SCRAPE_FORMAT));
    }
}
