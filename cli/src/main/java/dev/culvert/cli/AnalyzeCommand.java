package dev.culvert.cli;

import dev.culvert.cli.local.Programs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/// `culvert analyze`: the controller looks, who else would know.
@Command(
        name = "analyze",
        description = "Says what in files of YAML or in a cluster is wrong, and what to write instead"
                + " (culvert analyze --help).")
final class AnalyzeCommand implements Callable<Integer> {
    @Unmatched
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        var command = new ArrayList<>(Programs.controller());
        command.add("analyze");
        command.addAll(arguments);
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
