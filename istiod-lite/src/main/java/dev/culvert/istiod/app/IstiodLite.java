package dev.culvert.istiod.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.memory.OldGeneration;
import dev.culvert.kube.client.KubernetesClients;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The command line of the controller.
@Command(
        name = "istiod-lite",
        description = "The small control plane: reads a mesh, serves it to proxies, signs their certificates.",
        mixinStandardHelpOptions = true,
        version = "culvert istiod-lite 0.1.0-SNAPSHOT",
        subcommands = {IstiodLite.Discovery.class, AnalyzeCommand.class})
public final class IstiodLite {
    private static final Logger LOG = LoggerFactory.getLogger("app");

    private IstiodLite() {}

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new IstiodLite()).setCaseInsensitiveEnumValuesAllowed(true);
    }

    @Command(name = "discovery", description = "Serve until stopped.", mixinStandardHelpOptions = true)
    static final class Discovery implements Callable<Integer> {
        @Option(
                names = "--configDir",
                description = "Folder of YAML that users write; may be given several times. Without one the API server"
                        + " of a cluster is read.")
        private List<Path> configDirs = List.of();

        @Option(names = "--objectsDir", description = "Folder of YAML with what runs: Pods, Services, Nodes.")
        private @Nullable Path objectsDir;

        @Option(names = "--redirectionDir", description = "Folder where node agents say which pods they captured.")
        private @Nullable Path redirectionDir;

        @Option(names = "--stateDir", description = "With --configDir: where keys are kept and tokens are left.")
        private @Nullable Path stateDir;

        @Option(
                names = "--address",
                description = "With --configDir: further address in our own certificate; may be given several times.")
        private List<InetAddress> addresses = List.of();

        @Option(
                names = "--kubeconfig",
                description = "Which cluster, without --configDir; default: KUBECONFIG, else that of our own pod.")
        private @Nullable Path kubeconfig;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws Exception {
            var env = Env.ofProcess();
            try {
                var settings = IstiodSettings.from(env);
                var log = settings.log().install(System.out);
                LOG.debug("{} settings read", settings.settings().size());
                try (var istiod = new IstiodProcess(settings, platform(env, settings), log.levels())) {
                    OldGeneration.keepSmall();
                    istiod.run(pages(settings));
                }
                return 0;
            } catch (ConfigException wrong) {
                System.err.println("istiod-lite: wrong configuration, nothing started:\n" + wrong.getMessage());
            } catch (IOException | GeneralSecurityException cannot) {
                System.err.println("istiod-lite: cannot start: " + cannot.getMessage());
            }
            return 1;
        }

        private Platform platform(Env env, IstiodSettings settings) throws IOException, GeneralSecurityException {
            if (configDirs.isEmpty()) {
                if (stateDir != null || objectsDir != null || redirectionDir != null || !addresses.isEmpty()) {
                    throw new ParameterException(
                            spec.commandLine(),
                            "--stateDir, --objectsDir, --redirectionDir and --address go with --configDir only");
                }
                return new KubernetesPlatform(KubernetesClients.open(kubeconfig, env.variables()), settings);
            }
            if (stateDir == null) {
                throw new ParameterException(spec.commandLine(), "--configDir needs --stateDir as well");
            }
            return new LocalPlatform(
                    new LocalPlatform.Where(configDirs, objectsDir, redirectionDir, stateDir, addresses),
                    settings.signerDir());
        }

        /// Who reaches a pod's open ports is unknown.
        private IstiodProcess.Listen pages(IstiodSettings settings) {
            var monitoring = new InetSocketAddress(settings.monitoringPort());
            var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), settings.debugPort());
            return configDirs.isEmpty()
                    ? new IstiodProcess.Listen(
                            List.of(monitoring, new InetSocketAddress(settings.httpPort())),
                            List.of(loopback),
                            List.of(new InetSocketAddress(settings.webhookPort())))
                    : new IstiodProcess.Listen(List.of(), List.of(monitoring), List.of());
        }
    }
}
