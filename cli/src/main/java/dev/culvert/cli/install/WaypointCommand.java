package dev.culvert.cli.install;

import dev.culvert.cli.install.Waypoints.Found;
import dev.culvert.cli.install.Waypoints.Wanted;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// `culvert waypoint`, with `istioctl waypoint`'s flags and words.
@Command(
        name = "waypoint",
        mixinStandardHelpOptions = true,
        description = "Makes, shows and removes waypoints in a cluster.",
        footer = {
            "",
            "In local mode a waypoint is a Gateway in your folder:",
            "  culvert waypoint generate -n NS > FOLDER/waypoint.yaml"
        })
public final class WaypointCommand {
    private static final List<String> TRAFFIC = List.of("service", "workload", "all", "none");
    private static final String AMBIENT = "istio.io/dataplane-mode";
    private static final long POLL_MILLIS = 1000;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NS",
            scope = ScopeType.INHERIT,
            description = "Where it is (default: default).")
    @Nullable
    String namespace;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            scope = ScopeType.INHERIT,
            defaultValue = "waypoint",
            description = "Its name (default: ${DEFAULT-VALUE}).")
    String name = "waypoint";

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Command(mixinStandardHelpOptions = true, description = "Makes or changes a waypoint.")
    int apply(
            @Option(names = "--for", paramLabel = "TRAFFIC", description = "service, workload, all or none.") @Nullable
                    String traffic,
            @Option(names = "--enroll-namespace", description = "The namespace's Services go through it.")
                    boolean enrol,
            @Option(names = "--overwrite", description = "Also if the namespace names a waypoint already.")
                    boolean overwrite,
            @Option(
                            names = {"-r", "--revision"},
                            paramLabel = "REV",
                            description = "Of the controller that runs it.")
                    @Nullable
                    String revision,
            @Mixin Waiting waiting)
            throws IOException, InterruptedException {
        var wanted = wanted(traffic, revision, home());
        try (var client = cluster.client()) {
            var waypoints = new Waypoints(new Cluster(client));
            if (enrol) {
                var labels = waypoints.labels(home());
                if (labels.containsKey(Waypoints.USE) && !overwrite) {
                    err().println("Nothing was changed: namespace " + home() + " goes through waypoint "
                            + labels.get(Waypoints.USE) + " already. With --overwrite it goes through this one.");
                    return 0;
                }
                if (!"ambient".equals(labels.get(AMBIENT))) {
                    err().println("Namespace " + home() + " is not in the mesh, which its waypoint needs:"
                            + " kubectl label namespace " + home() + " " + AMBIENT + "=ambient");
                }
            }
            waypoints.apply(wanted);
            say("✅ waypoint " + home() + "/" + name + " applied");
            if (waiting.wait) {
                await(() -> waypoints.find(home(), name).stream().toList(), waiting.most());
                say("✅ waypoint " + home() + "/" + name + " is ready!");
            }
            if (enrol) {
                waypoints.enrol(home(), name);
                say("✅ namespace " + home() + " labeled with \"" + Waypoints.USE + ": " + name + "\"");
            }
        }
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, description = "Prints the object that apply would make.")
    int generate(
            @Option(names = "--for", paramLabel = "TRAFFIC", description = "service, workload, all or none.") @Nullable
                    String traffic,
            @Option(
                            names = {"-r", "--revision"},
                            paramLabel = "REV",
                            description = "Of the controller that runs it.")
                    @Nullable
                    String revision) {
        var style = new DumperOptions();
        style.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        out().print(new Yaml(style)
                .dump(wanted(traffic, revision, namespace == null ? "" : namespace)
                        .gateway()));
        out().flush();
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, description = "Removes waypoints.")
    int delete(
            @Option(names = "--all", description = "All of the namespace.") boolean all,
            @Option(
                            names = {"-r", "--revision"},
                            paramLabel = "REV",
                            description = "All of this revision in the namespace.")
                    @Nullable
                    String revision,
            @Parameters(arity = "0..*", paramLabel = "NAME", description = "Which.") @Nullable List<String> names)
            throws IOException {
        var named = names == null ? List.<String>of() : names;
        if (named.isEmpty() == (!all && revision == null)) {
            throw usage("give either names, or --all, or --revision");
        }
        try (var client = cluster.client()) {
            var waypoints = new Waypoints(new Cluster(client));
            var which = new ArrayList<>(named);
            if (named.isEmpty()) {
                waypoints.list(home()).stream()
                        .filter(one -> revision == null || revision.equals(one.revision()))
                        .forEach(one -> which.add(one.name()));
            }
            for (var one : which) {
                say("waypoint " + home() + "/" + one + (waypoints.delete(home(), one) ? " deleted" : " not found"));
            }
        }
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, description = "Lists waypoints.")
    int list(
            @Option(
                            names = {"-A", "--all-namespaces"},
                            description = "Of all namespaces.")
                    boolean everywhere)
            throws IOException {
        try (var client = cluster.client()) {
            var found = new Waypoints(new Cluster(client)).list(everywhere ? "" : home());
            if (found.isEmpty()) {
                say("No waypoints found.");
                return 0;
            }
            out().print(table(
                            everywhere,
                            List.of("NAME", "REVISION", "TRAFFIC TYPE", "PROGRAMMED"),
                            found,
                            one -> List.of(
                                    one.name(),
                                    one.revision(),
                                    one.traffic(),
                                    one.programmed().status()))
                    .text());
            out().flush();
        }
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, description = "Says whether waypoints run, and waits until they do.")
    int status(
            @Option(
                            names = {"-A", "--all-namespaces"},
                            description = "Of all namespaces.")
                    boolean everywhere,
            @Option(
                            names = {"-w", "--wait"},
                            negatable = true,
                            defaultValue = "true",
                            fallbackValue = "true",
                            description = "Until they run (default); --no-wait: ask once.")
                    boolean wait,
            @Option(
                            names = "--waypoint-timeout",
                            paramLabel = "SECONDS",
                            defaultValue = "90",
                            description = "How long (default: ${DEFAULT-VALUE}).")
                    int seconds)
            throws IOException, InterruptedException {
        try (var client = cluster.client()) {
            var waypoints = new Waypoints(new Cluster(client));
            Asked ask = () -> waypoints.list(everywhere ? "" : home());
            var found = wait ? await(ask, Duration.ofSeconds(seconds)) : ask.now();
            if (found.isEmpty()) {
                say("No waypoints found.");
                return 0;
            }
            out().print(table(
                            everywhere,
                            List.of("NAME", "STATUS", "TYPE", "REASON", "MESSAGE"),
                            found,
                            one -> List.of(
                                    one.name(),
                                    one.programmed().status(),
                                    "Programmed",
                                    one.programmed().reason(),
                                    one.programmed().message()))
                    .text());
            out().flush();
            return found.stream().allMatch(one -> one.programmed().isTrue()) ? 0 : 1;
        }
    }

    /// Options of who may wait.
    static final class Waiting {
        @Option(
                names = {"-w", "--wait"},
                description = "Until it runs.")
        boolean wait;

        @Option(
                names = "--waypoint-timeout",
                paramLabel = "SECONDS",
                defaultValue = "90",
                description = "How long (default: ${DEFAULT-VALUE}).")
        int seconds = 90;

        Duration most() {
            return Duration.ofSeconds(seconds);
        }
    }

    private interface Asked {
        List<Found> now() throws IOException;
    }

    private interface Row {
        List<String> of(Found one);
    }

    private static Table table(boolean namespaces, List<String> titles, List<Found> found, Row row) {
        var all = new ArrayList<List<String>>();
        for (var one : found) {
            all.add(namespaces ? with(one.namespace(), row.of(one)) : row.of(one));
        }
        return new Table(namespaces ? with("NAMESPACE", titles) : titles, all);
    }

    private static List<String> with(String first, List<String> rest) {
        var all = new ArrayList<String>();
        all.add(first);
        all.addAll(rest);
        return all;
    }

    /// Until all of them run.
    private static List<Found> await(Asked ask, Duration most) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + most.toNanos();
        while (true) {
            var found = ask.now();
            var waitsFor =
                    found.stream().filter(one -> !one.programmed().isTrue()).toList();
            if (waitsFor.isEmpty()) {
                return found;
            }
            if (System.nanoTime() - deadline > 0) {
                var first = waitsFor.getFirst();
                throw new IOException("waypoint %s/%s is not ready after %d s: %s"
                        .formatted(
                                first.namespace(),
                                first.name(),
                                most.toSeconds(),
                                first.programmed().message()));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private Wanted wanted(@Nullable String traffic, @Nullable String revision, String inNamespace) {
        var wanted = traffic == null ? "" : traffic.toLowerCase(Locale.ROOT);
        if (!wanted.isEmpty() && !TRAFFIC.contains(wanted)) {
            throw usage("invalid traffic type: " + traffic + ". Valid options are: " + String.join(", ", TRAFFIC));
        }
        if (name.equals("none")) {
            throw usage("a waypoint cannot be called none: that is how a Service says that it has none");
        }
        return new Wanted(name, inNamespace, wanted, revision == null ? "" : revision);
    }

    private ParameterException usage(String why) {
        return new ParameterException(spec.commandLine(), why);
    }

    private String home() {
        return namespace == null ? "default" : namespace;
    }

    private void say(String text) {
        out().println(text);
        out().flush();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
