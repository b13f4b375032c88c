package dev.culvert.cli;

import dev.culvert.cli.app.AppCommand;
import dev.culvert.cli.demo.DemoCommand;
import dev.culvert.cli.install.CheckCommand;
import dev.culvert.cli.install.InstallCommand;
import dev.culvert.cli.install.TagCommand;
import dev.culvert.cli.install.UninstallCommand;
import dev.culvert.cli.install.UpgradeCommand;
import dev.culvert.cli.install.WaypointCommand;
import dev.culvert.cli.local.MissingException;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The program `culvert`.
@Command(
        name = "culvert",
        version = Culvert.VERSION,
        mixinStandardHelpOptions = true,
        description =
                "Runs a service mesh on this machine or installs it in a cluster, looks into it, and explains it.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:fine",
            "1:the answer is no, or what was observed is not what was expected",
            "2:wrong usage",
            "3:something needed is missing: a program, a running mesh, a pod"
        },
        subcommands = {
            HelpCommand.class,
            AutoComplete.GenerateCompletion.class,
            DemoCommand.class,
            MeshCommands.Up.class,
            MeshCommands.Down.class,
            MeshCommands.Status.class,
            MeshCommands.Logs.class,
            MeshCommands.Exec.class,
            Holes.class,
            MeshCommands.Replace.class,
            MeshCommands.Why.class,
            MeshCommands.LocalSupervisor.class,
            ZtunnelConfig.class,
            ProxyConfig.class,
            WaypointCommand.class,
            InstallCommand.class,
            UpgradeCommand.class,
            UninstallCommand.class,
            TagCommand.class,
            CheckCommand.class,
            AnalyzeCommand.class,
            AppCommand.class,
            ExperimentalCommand.class,
            Culvert.Version.class,
        })
public final class Culvert {
    static final String VERSION = "culvert 0.1.0-SNAPSHOT";

    /// `culvert version`: what `--version` prints.
    @Command(name = "version", description = "Prints the version.")
    static final class Version implements Runnable {
        @Spec
        CommandSpec spec = CommandSpec.create();

        @Override
        public void run() {
            spec.root().commandLine().printVersionHelp(spec.commandLine().getOut());
        }
    }

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /// With all sub-commands; failures are one line on standard error.
    static CommandLine commandLine() {
        var line = new CommandLine(new Culvert());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((failure, command, _) -> {
            command.getErr().println("culvert: " + failure.getMessage());
            return failure instanceof MissingException ? 3 : 1;
        });
        return line;
    }
}
