package dev.culvert.ztunnel.app;

import static java.util.stream.Collectors.joining;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.document.GeneratedSection;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.failure.FailureReason;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The documents say what the code does.
class DocumentsTest {
    @Test
    void settings() throws Exception {
        var settings = ZtunnelConfig.from(new Env(Map.of())).settings();
        GeneratedSection.check("configuration.md", "ztunnel", GeneratedSection.settings(settings));
    }

    @Test
    void metrics() throws Exception {
        var families = ProcessMetrics.families();
        GeneratedSection.check("metrics.md", "ztunnel", GeneratedSection.metrics(families));
        var traffic = families.stream()
                .map(MetricFamily::labels)
                .filter(labels -> labels.size() > 10)
                .findFirst()
                .orElseThrow();
        GeneratedSection.check(
                "metrics.md",
                "traffic",
                traffic.stream().map(label -> "`" + label + "`").collect(joining(",\n")) + "\n");
    }

    @Test
    void limits() throws Exception {
        var rows = Arrays.stream(PeerLimit.values())
                .map(limit -> "| `" + limit.label() + "` | " + GeneratedSection.cell(limit.allowed()) + " | "
                        + GeneratedSection.cell(limit.consequence()) + " |\n")
                .collect(joining());
        GeneratedSection.check(
                "limits.md", "hbone", "| limit | a peer may do | what follows |\n|---|---|---|\n" + rows);
    }

    @Test
    void failures() throws Exception {
        var rows = Arrays.stream(FailureReason.values())
                .map(reason -> "| `" + reason + "` | " + GeneratedSection.cell(reason.meaning()) + " | "
                        + reason.fault().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " | `" + reason.flag()
                        + "` | " + reason.status() + " | " + (reason.retryable() ? "yes" : "no") + " |\n")
                .collect(joining());
        GeneratedSection.check(
                "failures.md",
                "failures",
                "| reason | meaning | whose fault | flag | status | another |\n|---|---|---|---|---|---|\n" + rows);
    }
}
