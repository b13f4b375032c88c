package dev.culvert.cli;

import dev.culvert.cli.local.SupervisorClient;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Which mesh on this machine is meant.
public final class StateOption {
    @Option(
            names = "--state",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description = "State folder (default: ${DEFAULT-VALUE}).",
            defaultValue = ".culvert")
    Path state = Path.of(".culvert");

    Path directory() {
        return state.toAbsolutePath().normalize();
    }

    SupervisorClient client() {
        return new SupervisorClient(state);
    }
}
