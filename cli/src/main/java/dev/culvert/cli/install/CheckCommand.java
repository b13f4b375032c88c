package dev.culvert.cli.install;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `culvert check`.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        subcommands = CheckNodeCommand.class,
        description = "Says whether the mesh in a cluster is well, and what to do where it is not.")
public final class CheckCommand implements Callable<Integer> {
    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        try (var client = cluster.client()) {
            var findings = new Checks(new Cluster(client), cluster.namespace).all();
            return Finding.print(findings, spec.commandLine().getOut());
        }
    }
}
