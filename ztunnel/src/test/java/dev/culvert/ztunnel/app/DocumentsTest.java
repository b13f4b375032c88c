package dev.culvert.ztunnel.app;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.document.GeneratedSection;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.failure.FailureReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
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

    /// Every test that the parity table names is there: `Class`, `Class.method`, and `.method` of the class before it.
    @Test
    void parity() throws Exception {
        var sources = testSources();
        var name = Pattern.compile("`(?<type>[A-Z]\\w*Test)?(?:\\.(?<method>[a-z]\\w*))?`");
        var type = "";
        for (var line : Files.readAllLines(Path.of("../docs/ztunnel-parity.md"))) {
            for (var found = name.matcher(line); found.find(); ) {
                type = found.group("type") == null ? type : found.group("type");
                var method = found.group("method") == null ? "class " + type : "void " + found.group("method") + "(";
                assertThat(sources.getOrDefault(type, ""))
                        .as("%s of: %s", found.group(), line)
                        .contains(method);
            }
        }
    }

    /// The text by class; of several classes of one name, all.
    private static Map<String, String> testSources() throws IOException {
        var sources = new HashMap<String, String>();
        try (var all = Files.walk(Path.of(".."))) {
            for (var file : all.filter(path -> path.toString().contains("/src/test/java/")
                            && path.toString().endsWith("Test.java"))
                    .toList()) {
                var type = file.getFileName().toString().replace(".java", "");
                sources.merge(type, Files.readString(file), String::concat);
            }
        }
        return sources;
    }
}
