package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.memory.OldGeneration;
import java.io.IOException;

/// The command line: `proxy` (default; further words are ignored), `version`, `help`.
public final class Ztunnel {
    private static final String HELP = """
            usage: ztunnel [proxy | version | help]

            The node proxy: opens and ends HBONE tunnels for the pods of this node. It is configured by Istio's
            environment variables (XDS_ADDRESS, CA_ADDRESS, NODE_NAME, INPOD_UDS, ...).
            """;

    private Ztunnel() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        var command = arguments.length == 0 ? "proxy" : arguments[0];
        switch (command) {
            case "proxy" -> System.exit(proxy());
            case "version" -> System.out.println(Version.text());
            case "help", "--help", "-h" -> System.out.print(HELP);
            default -> {
                System.err.print("ztunnel: unknown command '" + command + "'\n" + HELP);
                System.exit(1);
            }
        }
    }

    private static int proxy() throws IOException, InterruptedException {
        try {
            var config = ZtunnelConfig.from(Env.ofProcess());
            var log = config.log().install(System.out);
            try (log;
                    var process = new ZtunnelProcess(config, log.levels())) {
                OldGeneration.keepSmall();
                process.run();
            }
            return 0;
        } catch (IOException cannotStart) {
            System.err.println("ztunnel: " + cannotStart.getMessage());
            return 1;
        } catch (ConfigException wrong) {
            System.err.println("ztunnel: wrong configuration, nothing started:\n" + wrong.getMessage());
            return 1;
        }
    }
}
