package dev.culvert.cli.app;

import picocli.CommandLine.Command;

/// Groups the programs for pods.
@Command(
        name = "app",
        description = "Small programs to run in pods.",
        subcommands = {Serve.class, Load.class, Hold.class})
public final class AppCommand {}
