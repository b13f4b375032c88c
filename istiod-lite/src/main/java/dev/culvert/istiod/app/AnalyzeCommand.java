package dev.culvert.istiod.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.kube.client.ClusterSource;
import dev.culvert.kube.client.KubernetesClients;
import dev.culvert.kube.folder.YamlFiles;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Problem.Severity;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `istiod-lite analyze`, which `culvert analyze` calls.
@Command(
        name = "analyze",
        mixinStandardHelpOptions = true,
        description = {
            "Says what in files of YAML, or in a cluster, is wrong or does less than it seems to, and what to write instead.",
            "Files alone are judged as if they were all that there is; with --live they lie over what the cluster has."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:nothing at or above --failure-threshold", "79:something", "2:wrong usage", "1:cannot look"})
final class AnalyzeCommand implements Callable<Integer> {
    private static final int FOUND = 79;

    @Parameters(paramLabel = "PATH", arity = "0..*", description = "Files and folders of YAML.")
    private List<Path> paths = List.of();

    @Option(
            names = {"--live", "-k", "--use-kube"},
            description = "Ask a cluster's API server.")
    private boolean live;

    @Option(
            names = {"-c", "--kubeconfig"},
            paramLabel = "FILE",
            description = "Which cluster (KUBECONFIG).")
    private @Nullable Path kubeconfig;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "PT30S",
            description = "How long the cluster may take, as PT30S (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ofSeconds(30);

    @Option(
            names = "--failure-threshold",
            paramLabel = "LEVEL",
            defaultValue = "ERROR",
            description = "Error or Warning: what is answered with 79 (default: Error).")
    private Severity failure = Severity.ERROR;

    @Option(
            names = "--output-threshold",
            paramLabel = "LEVEL",
            defaultValue = "WARNING",
            description = "Error or Warning: what is printed (default: Warning).")
    private Severity printed = Severity.WARNING;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            defaultValue = "log",
            description = "log or json (default: log).")
    private Form form = Form.LOG;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    private enum Form {
        LOG,
        JSON
    }

    @Override
    public Integer call() {
        if (paths.isEmpty() && !live) {
            throw new ParameterException(spec.commandLine(), "name files or folders of YAML, or say --live");
        }
        try {
            var settings = IstiodSettings.from(Env.ofProcess());
            var files = YamlFiles.read(paths);
            var objects = live ? Analysis.over(cluster(), files) : files;
            var problems = Analysis.of(objects, settings);
            print(problems, objects.objects().size());
            return problems.stream().anyMatch(problem -> isAtLeast(problem, failure)) ? FOUND : 0;
        } catch (ConfigException wrong) {
            spec.commandLine().getErr().println("istiod-lite: wrong configuration:\n" + wrong.getMessage());
        } catch (IOException cannot) {
            spec.commandLine().getErr().println("istiod-lite: cannot look: " + cannot.getMessage());
        }
        return 1;
    }

    private static boolean isAtLeast(Problem problem, Severity level) {
        return problem.severity().compareTo(level) <= 0; // errors come first
    }

    private void print(List<Problem> problems, int objects) {
        var out = spec.commandLine().getOut();
        var shown =
                problems.stream().filter(problem -> isAtLeast(problem, printed)).toList();
        switch (form) {
            case JSON -> out.print(Analysis.json(shown));
            case LOG -> {
                shown.forEach(problem -> out.println(Analysis.line(problem)));
                if (shown.isEmpty()) {
                    out.println("√ Nothing is wrong with " + objects + (objects == 1 ? " object." : " objects."));
                }
            }
        }
        out.flush();
    }

    private ObjectSet cluster() throws IOException {
        var first = new CompletableFuture<ObjectSet>();
        try (var client = KubernetesClients.open(kubeconfig, Env.ofProcess().variables());
                var _ = ClusterSource.open(client, ClusterSource.Options.mesh().withTlsSecrets(), first::complete)) {
            return first.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException slow) {
            throw new IOException("the API server did not tell everything within " + timeout.toSeconds() + " s", slow);
        } catch (ExecutionException failed) {
            throw new IOException(String.valueOf(failed.getMessage()), failed);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", stopped);
        }
    }
}
