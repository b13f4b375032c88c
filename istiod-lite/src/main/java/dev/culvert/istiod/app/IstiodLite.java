package dev.culvert.istiod.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The command line of the controller.
@Command(
        name = "istiod-lite",
        description = "The small control plane: reads a mesh, serves it to proxies, signs their certificates.",
        mixinStandardHelpOptions = true,
        version = "culvert istiod-lite 0.1.0-SNAPSHOT",
        subcommands = IstiodLite.Discovery.class)
public final class IstiodLite {
    private static final Logger LOG = LoggerFactory.getLogger("app");

    private IstiodLite() {}

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new IstiodLite()).execute(arguments));
    }

    @Command(name = "discovery", description = "Serve until stopped.", mixinStandardHelpOptions = true)
    static final class Discovery implements Callable<Integer> {
        @Option(
                names = "--configDir",
                required = true,
                description = "Folder of YAML that users write; may be given several times.")
        private List<Path> configDirs = List.of();

        @Option(names = "--objectsDir", description = "Folder of YAML with what runs: Pods, Services, Nodes.")
        private @Nullable Path objectsDir;

        @Option(names = "--redirectionDir", description = "Folder where node agents say which pods they captured.")
        private @Nullable Path redirectionDir;

        @Option(names = "--stateDir", required = true, description = "Where keys are kept and tokens are left.")
        private Path stateDir = Path.of(".");

        @Option(
                names = "--address",
                description = "Further address in our own certificate; may be given several times.")
        private List<InetAddress> addresses = List.of();

        @Override
        public Integer call() throws Exception {
            try {
                var read = IstiodSettings.from(Env.ofProcess());
                var config = new IstiodConfig(
                        configDirs,
                        objectsDir,
                        redirectionDir,
                        stateDir,
                        addresses,
                        read.grpcPort(),
                        read.monitoringPort(),
                        read.clusterId(),
                        read.trustDomain(),
                        read.rootNamespace());
                var log = read.log().install(System.out);
                LOG.debug("{} settings read", read.settings().size());
                try (var istiod = new IstiodProcess(config, log.levels())) {
                    istiod.run();
                }
                return 0;
            } catch (ConfigException wrong) {
                System.err.println("istiod-lite: wrong configuration, nothing started:\n" + wrong.getMessage());
                return 1;
            }
        }
    }
}
