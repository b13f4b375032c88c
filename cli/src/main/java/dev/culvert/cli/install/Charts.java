package dev.culvert.cli.install;

import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/// The Helm charts that come with this program, rendered as `helm template` does (it is Helm's own code).
final class Charts {
    private static final String UMBRELLA = "/charts/culvert";

    private Charts() {}

    /// What to render them with.
    /// @param release Helm's name for the installation
    /// @param files of values; later ones win
    /// @param sets `key=value`, over the files
    record Values(String release, String namespace, List<Path> files, Map<String, String> sets) {
        Values {
            files = List.copyOf(files);
            sets = Map.copyOf(sets);
        }
    }

    /// In the order of installation.
    /// @throws IOException if values do not fit; the message is Helm's
    static List<Map<String, Object>> render(Values values) throws IOException {
        var scratch = Files.createTempDirectory("culvert-charts");
        try {
            return parse(template(extract(scratch), values));
        } finally {
            delete(scratch);
        }
    }

    private static String template(Path chart, Values values) throws IOException {
        var command = new Helm(chart).template().withName(values.release).withNamespace(values.namespace);
        values.files.forEach(command::withValuesFile);
        values.sets.forEach(command::set);
        try {
            return command.call();
        } catch (IllegalStateException refused) {
            throw new IOException("the charts cannot be rendered: " + refused.getMessage(), refused);
        }
    }

    private static List<Map<String, Object>> parse(String text) throws IOException {
        var objects = new ArrayList<Map<String, Object>>();
        try {
            for (var document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
                if (document instanceof Map<?, ?> object) {
                    var copy = new LinkedHashMap<String, Object>();
                    object.forEach((key, value) -> copy.put(String.valueOf(key), value));
                    objects.add(copy);
                }
            }
        } catch (YAMLException e) {
            throw new IOException("what the charts render is not YAML: " + e.getMessage(), e);
        }
        return List.copyOf(objects);
    }

    private static Path extract(Path to) throws IOException {
        var here = Charts.class.getResource(UMBRELLA);
        if (here == null) {
            throw new IOException("this program has no charts; was it built by ./mvnw?");
        }
        try {
            var uri = here.toURI();
            if (!uri.getScheme().equals("jar")) {
                return copy(Path.of(uri), to);
            }
            var text = uri.toString();
            try (var jar = FileSystems.newFileSystem(URI.create(text.substring(0, text.indexOf("!/"))), Map.of())) {
                return copy(jar.getPath(UMBRELLA), to);
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (var file : files.toList()) {
                var target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
        return to;
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
