package dev.culvert.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// What a program knows: from where it is read (`-f`), and how it is printed (`-o`).
final class Dump {
    /// How to print.
    enum Output {
        SHORT,
        JSON,
        YAML
    }

    @Option(
            names = {"-o", "--output"},
            scope = ScopeType.INHERIT,
            description = "${COMPLETION-CANDIDATES} (default: short).",
            defaultValue = "SHORT")
    Output output = Output.SHORT;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "A saved /config_dump instead; - reads standard input.")
    @Nullable
    String file;

    /// Asks a running program for its dump.
    @FunctionalInterface
    interface Source {
        String ask() throws IOException;
    }

    boolean isSaved() {
        return file != null;
    }

    /// @param running asked if no file is given
    JsonNode read(Source running) throws IOException {
        var json = new ObjectMapper();
        if (file == null) {
            return json.readTree(running.ask());
        }
        return file.equals("-")
                ? json.readTree(System.in)
                : json.readTree(Path.of(file).toFile());
    }

    boolean isShort() {
        return output == Output.SHORT;
    }

    /// @param items the same as the table, as they are in the dump
    int print(PrintWriter out, Table table, JsonNode items) throws JsonProcessingException {
        out.print(
                switch (output) {
                    case SHORT -> table.text();
                    case JSON ->
                        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(items) + "\n";
                    case YAML -> yaml(items);
                });
        out.flush();
        return 0;
    }

    private static String yaml(JsonNode items) {
        var style = new DumperOptions();
        style.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        return new Yaml(style).dump(new ObjectMapper().convertValue(items, Object.class));
    }
}
