package dev.culvert.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.json.Json;
import dev.culvert.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the program through every fault, and holds `docs/cni-faults.md` to what came out.
class FaultTest {
    private static final String REGENERATE =
            "./mvnw -pl cni-plugin/plugin -am test -Dtest=FaultTest -Dsurefire.failIfNoSpecifiedTests=false -Dculvert.write=true";
    private static final String HEAD = """
            # What can go wrong around the CNI plugin

            Made by `FaultTest` of `cni-plugin/plugin`, which runs the program through each line; to make it anew:

                %s

            A pod whose ADD fails does not start; the runtime cleans up by DEL, and kubelet tries again. The codes are those of the
            CNI specification: 1 version, 4 environment, 6 content, 7 configuration, 11 try again, 50 not available; 100 is ours:
            refused. `R` stands for `cni_agent_run_dir`, the time-out is one second here (10 by default).

            | command | fault | outcome | the runtime is told |
            |---|---|---|---|
            """.formatted(REGENERATE);

    @TempDir
    Path directory;

    @Test
    void everyFaultEndsAsTheTableSays() throws Exception {
        var lines = new ArrayList<String>();
        try (var pool = Executors.newFixedThreadPool(2)) {
            var tasks = new ArrayList<Callable<String>>();
            for (var fault : Fault.values()) {
                tasks.add(() -> line(fault));
            }
            for (var result : pool.invokeAll(tasks)) {
                lines.add(result.get());
            }
        }
        var page = HEAD + String.join("\n", lines) + "\n";
        var file = Path.of(System.getProperty("culvert.root"), "docs", "cni-faults.md");
        if (Boolean.getBoolean("culvert.write")) {
            Files.writeString(file, page);
        }
        assertThat(file).as("to make it anew: %s", REGENERATE).hasContent(page);
    }

    private String line(Fault fault) throws Exception {
        var runDir = Files.createDirectory(directory.resolve(fault.name()));
        var stdin = fault.stdin(runDir.toString());
        PluginProcess.Result result;
        var agent = new ScriptedAgent(runDir.resolve("pluginevent.sock"), fault.agent);
        try (agent) {
            result = PluginProcess.run(fault.environment(), stdin.getBytes(StandardCharsets.UTF_8));
        }
        assertThat(result.stderr()).as("stderr of %s", fault).isEmpty();
        if (fault.code == 0) {
            assertThat(result.exit()).as("%s: %s", fault, result.stdout()).isZero();
            assertThat(result.stdout())
                    .as("result of %s", fault)
                    .isEqualTo(fault.command.equals("ADD") ? Fault.previous("10.0.0.5/24") : "");
            return row(fault, "succeeds", "");
        }
        assertThat(result.exit()).as(fault.name()).isEqualTo(1);
        var error = JsonReader.readObject(result.stdout().getBytes(StandardCharsets.UTF_8));
        assertThat(error.get("code"))
                .as("%s: %s", fault, error.raw())
                .contains(new Json.Num(Integer.toString(fault.code)));
        assertThat(error.text("cniVersion")).contains("1.1.0");
        assertThat(error.text("details").orElseThrow()).as(fault.name()).isNotBlank();
        var told =
                error.text("msg").orElseThrow() + ". " + error.text("details").orElseThrow();
        return row(fault, "error " + fault.code, told.replace(runDir.toString(), "R"));
    }

    private static String row(Fault fault, String outcome, String told) {
        var printable = told.codePoints()
                .map(c -> c < ' ' ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString()
                .replace("|", "\\|");
        var shown = printable.length() > 260 ? printable.substring(0, 260) + "…" : printable;
        return "| %s | %s | %s | %s |".formatted(fault.command, fault.what, outcome, shown);
    }
}
