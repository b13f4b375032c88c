package dev.culvert.waypoint.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.memory.OldGeneration;
import java.io.IOException;

/// The command line: `proxy` (default), `help`.
public final class Waypoint {
    private static final String HELP = """
            usage: waypoint [proxy | help]

            The L7 proxy of one Gateway: ends HBONE tunnels, applies HTTP routes and policies, and opens tunnels onward.
            It is configured by environment variables (XDS_ADDRESS, POD_NAMESPACE, SERVICE_ACCOUNT, ...).
            """;

    private Waypoint() {}

    public static void main(String[] arguments) throws IOException {
        var command = arguments.length == 0 ? "proxy" : arguments[0];
        switch (command) {
            case "proxy" -> System.exit(proxy());
            case "help", "--help", "-h" -> System.out.print(HELP);
            default -> {
                System.err.print("waypoint: unknown command '" + command + "'\n" + HELP);
                System.exit(1);
            }
        }
    }

    private static int proxy() {
        try {
            var config = WaypointConfig.from(Env.ofProcess());
            var log = config.log().install(System.out);
            try (log;
                    var process = new WaypointProcess(config, log.levels())) {
                OldGeneration.keepSmall();
                process.run();
            }
            return 0;
        } catch (IOException cannotStart) {
            System.err.println("waypoint: " + cannotStart.getMessage());
            return 1;
        } catch (ConfigException wrong) {
            System.err.println("waypoint: wrong configuration, nothing started:\n" + wrong.getMessage());
            return 1;
        }
    }
}
