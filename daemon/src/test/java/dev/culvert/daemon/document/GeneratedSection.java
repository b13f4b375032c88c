package dev.culvert.daemon.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.metrics.MetricFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// A part of a document in `docs/` that is made from code. It stands between two comment lines.
public final class GeneratedSection {
    private static final String REGENERATE =
            "./mvnw test -Dtest=DocumentsTest -Dsurefire.failIfNoSpecifiedTests=false" + " -Dculvert.documents=write";

    private GeneratedSection() {}

    /// Compares what is there, or writes it if the build runs with `-Dculvert.documents=write`.
    public static void check(String document, String section, String content) throws IOException {
        var file = root().resolve("docs").resolve(document);
        var text = Files.readString(file);
        var begin = "<!-- " + section + ": made from code -->\n";
        var end = "<!-- end of " + section + " -->\n";
        var from = text.indexOf(begin) + begin.length();
        var to = text.indexOf(end);
        assertThat(text.contains(begin) && to >= from)
                .as("%s has the lines %s and %s", file, begin, end)
                .isTrue();
        if ("write".equals(System.getProperty("culvert.documents"))) {
            Files.writeString(file, text.substring(0, from) + content + text.substring(to));
            return;
        }
        assertThat(text.substring(from, to))
                .as("docs/%s is not what the code says; write it anew: %s", document, REGENERATE)
                .isEqualTo(content);
    }

    private static Path root() {
        for (var directory = Path.of("").toAbsolutePath(); directory != null; directory = directory.getParent()) {
            if (Files.exists(directory.resolve("mvnw"))) {
                return directory;
            }
        }
        throw new IllegalStateException("not inside the source tree");
    }

    /// A table of settings.
    public static String settings(List<Setting> settings) {
        return "| name | form | default | |\n|---|---|---|---|\n"
                + settings.stream()
                        .map(setting -> "| `" + setting.name() + "` | " + cell(setting.type()) + " | "
                                + code(setting.defaultText()) + " | " + cell(setting.sentence()) + " |\n")
                        .collect(Collectors.joining());
    }

    /// A table of metrics; long lists of labels stand below it.
    public static String metrics(List<MetricFamily> families) {
        return "| name | type | labels | |\n|---|---|---|---|\n"
                + families.stream()
                        .map(family -> "| `" + family.name() + "` | "
                                + family.type().name().toLowerCase(Locale.ROOT) + " | " + labels(family) + " | "
                                + cell(family.help()) + " |\n")
                        .collect(Collectors.joining());
    }

    private static String labels(MetricFamily family) {
        return family.labels().size() > 10
                ? "traffic set"
                : family.labels().stream().map(label -> "`" + label + "`").collect(Collectors.joining(", "));
    }

    public static String code(String text) {
        return text.isEmpty() ? "" : "`" + cell(text) + "`";
    }

    public static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
