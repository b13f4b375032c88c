package dev.culvert.cni;

import dev.culvert.cni.CniException.Code;
import dev.culvert.json.Json;
import dev.culvert.json.JsonWriter;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The program `culvert-cni`. The container runtime starts it for each pod, so its start-up time is part of its
/// interface: the work is done on one thread, the main thread watches the time, and the process ends by `halt`.
public final class CniProgram {
    private static final String ABOUT = """
            culvert-cni: takes pods into the mesh. A CNI plugin, chained after the plugin that makes the pod's interface;
            the container runtime calls it, with CNI_COMMAND and more in the environment and the network configuration on
            stdin (https://www.cni.dev/docs/spec/).
            CNI versions: %s
            """.formatted(String.join(", ", CniVersion.all()));

    private final String command;
    private final Steps steps = new Steps();
    private volatile @Nullable Outcome outcome;

    /// How the process ends.
    private record Outcome(int exit, String stdout, String stderr) {
        static Outcome ok(String stdout) {
            return new Outcome(0, stdout, "");
        }
    }

    private CniProgram(String command) {
        this.command = command;
    }

    public static void main(String[] arguments) {
        var outcome = outcome(arguments, System.getenv());
        print(System.out, outcome.stdout);
        print(System.err, outcome.stderr);
        Runtime.getRuntime().halt(outcome.exit);
    }

    private static void print(PrintStream to, String text) {
        if (!text.isEmpty()) {
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            to.write(bytes, 0, bytes.length);
            to.flush();
        }
    }

    private static Outcome outcome(String[] arguments, Map<String, String> env) {
        var command = env.getOrDefault("CNI_COMMAND", "");
        if (arguments.length > 0) {
            return switch (arguments[0]) {
                case "--help", "-h", "help", "--version", "-v", "version" -> Outcome.ok(about());
                default -> new Outcome(2, "", "culvert-cni takes no arguments; see culvert-cni --help\n");
            };
        }
        if (command.isEmpty()) {
            return new Outcome(0, "", about()); // as other plugins do
        }
        return new CniProgram(command).run(env);
    }

    private static String about() {
        return ABOUT + "CNI versions: " + String.join(", ", CniVersion.all()) + "\n";
    }

    private Outcome run(Map<String, String> env) {
        steps.begin("starting", Duration.ofSeconds(5));
        var work = new Thread(() -> work(env), "culvert-cni");
        work.setDaemon(true);
        work.start();
        try {
            while (work.isAlive()) {
                var step = steps.current();
                if (!step.left().isPositive()) {
                    return late(step);
                }
                work.join(Math.max(1, step.left().toMillis() + 1));
            }
        } catch (InterruptedException e) {
            return failed(new CniException(Code.TRY_AGAIN, "interrupted", "try again"));
        }
        var done = outcome;
        return done == null ? failed(new CniException(Code.TRY_AGAIN, "it ended early", "see stderr")) : done;
    }

    private void work(Map<String, String> env) {
        Outcome result;
        try {
            result = Outcome.ok(new Commands(env, System.in, steps).run(command));
        } catch (CniException e) {
            result = failed(e);
        } catch (RuntimeException | Error e) {
            result = failed(new CniException(Code.TRY_AGAIN, "culvert-cni has a bug", e.toString()));
        }
        outcome = result;
    }

    private Outcome late(Steps.Step step) {
        var harmless = Commands.late(command, step);
        if (harmless.isPresent()) {
            return Outcome.ok(harmless.get());
        }
        var code = command.equals("STATUS") ? Code.NOT_AVAILABLE : Code.TRY_AGAIN;
        return failed(new CniException(
                code,
                "gave up " + step.what() + " after " + step.patience().toSeconds() + " s",
                "is it alive? See its log; the container runtime will try again"));
    }

    /// The specification's error object, on stdout, with the newest version: ours alone is certain when the
    /// configuration cannot be read, and the object is the same in all.
    private static Outcome failed(CniException e) {
        var error = new LinkedHashMap<String, Json>();
        error.put("cniVersion", new Json.Str(CniVersion.newest().text));
        error.put("code", new Json.Num(Integer.toString(e.code().number)));
        error.put("msg", new Json.Str("culvert-cni: " + e.message()));
        error.put("details", new Json.Str(e.details()));
        return new Outcome(1, JsonWriter.write(Json.Obj.of(error)), "");
    }
}
