package dev.culvert.cli.demo;

import dev.culvert.cli.local.LocalMesh;
import dev.culvert.cli.local.MissingException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `culvert demo`.
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "Shows the mesh at work on this machine; every line is observed. Exit code 1 if an observation fails.")
public final class DemoCommand implements Callable<Integer> {
    @Option(names = "--keep", description = "Leave the mesh running at the end.")
    boolean keep;

    @Option(
            names = "--state",
            paramLabel = "DIR",
            description = "State folder (default: ${DEFAULT-VALUE}).",
            defaultValue = ".culvert")
    Path state = Path.of(".culvert");

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        var directory = state.toAbsolutePath().normalize();
        var root = System.getenv("CULVERT_ROOT");
        if (root == null) {
            throw new MissingException("CULVERT_ROOT is not set; start with ./culvert from the source tree");
        }
        var folder = directory.resolve("demo");
        copy(Path.of(root, "examples/shop"), folder);
        var out = spec.commandLine().getOut();
        var story = new Story(out);
        story.say("Starting two nodes, a control plane and the pods of examples/shop (a copy, in " + folder + ")");
        var mesh = LocalMesh.start(directory, folder, 2);
        var finished = false;
        try {
            mesh.awaitReady(story::say);
            new Demo(mesh.client(), folder, story).run();
            finished = true;
            return 0;
        } catch (ObservationException e) {
            out.println("\nFAILED: " + e.getMessage());
            out.println("Logs are in " + directory);
            return 1;
        } finally {
            end(out, directory, keep && finished);
        }
    }

    private void end(PrintWriter out, Path directory, boolean stays) throws IOException, InterruptedException {
        if (stays) {
            var option = state.equals(Path.of(".culvert")) ? "" : " --state " + state;
            out.println("\nThe mesh goes on. Try:");
            for (var command :
                    new String[] {"status", "ztunnel-config all", "why batch server-1:8080", "holes", "down"}) {
                out.println("  ./culvert " + command + option);
            }
        } else {
            LocalMesh.stop(directory);
            out.println("\nThe mesh is down; nothing of it is left but " + directory + ".");
        }
        out.flush();
    }

    /// The demo changes its own copy; what an earlier one left is replaced.
    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (var old = Files.list(to)) {
            for (var file : old.toList()) {
                Files.delete(file);
            }
        }
        try (var files = Files.list(from)) {
            for (var file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
    }
}
