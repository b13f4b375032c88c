package dev.culvert.cli;

import picocli.CommandLine.Command;

/// Groups what may still change.
@Command(
        name = "x",
        aliases = "experimental",
        description = "Commands that may still change.",
        subcommands = {GrpcBootstrap.class})
final class ExperimentalCommand {}
