package dev.culvert.cli;

import dev.culvert.cli.install.ClusterOptions;
import dev.culvert.cli.install.GatewayPods;
import dev.culvert.cli.local.MissingException;
import dev.culvert.cli.local.SupervisorClient;
import dev.culvert.cli.view.WaypointView;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// What a waypoint knows; with `istioctl proxy-config`'s words.
@Command(
        name = "proxy-config",
        aliases = {"pc", "waypoint-config"},
        mixinStandardHelpOptions = true,
        description = "Shows what a waypoint knows.")
public final class ProxyConfig {
    private static final String WHOSE = "NAME[.NAMESPACE] of the Gateway, or of one of its pods.";
    private static final int ADMIN_PORT = 15000;

    @Mixin
    StateOption state = new StateOption();

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Mixin
    Dump dump = new Dump();

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NS",
            scope = ScopeType.INHERIT,
            description = "Where the Gateway is, unless its name says so (default: default).")
    @Nullable
    String namespace;

    @Spec
    CommandSpec spec = CommandSpec.create();

    /// @param namespace empty if nobody says
    private record Name(String namespace, String name) {}

    @Command(
            aliases = {"r", "route"},
            mixinStandardHelpOptions = true,
            description = "Which requests go where.")
    int routes(@Parameters(arity = "0..1", paramLabel = "WAYPOINT", description = WHOSE) @Nullable String waypoint)
            throws IOException {
        var view = view(waypoint);
        return dump.print(out(), view.routesTable(), view.routes());
    }

    @Command(
            aliases = {"c", "cluster"},
            mixinStandardHelpOptions = true,
            description = "Services and subsets that its routes lead to.")
    int clusters(@Parameters(arity = "0..1", paramLabel = "WAYPOINT", description = WHOSE) @Nullable String waypoint)
            throws IOException {
        var view = view(waypoint);
        return dump.print(out(), view.clustersTable(), view.clusters());
    }

    @Command(
            aliases = {"e", "ep", "endpoint"},
            mixinStandardHelpOptions = true,
            description = "Their pods, and which of them it leaves alone for a while.")
    int endpoints(@Parameters(arity = "0..1", paramLabel = "WAYPOINT", description = WHOSE) @Nullable String waypoint)
            throws IOException {
        var view = view(waypoint);
        return dump.print(out(), view.endpointsTable(), view.endpoints());
    }

    @Command(
            aliases = {"p", "policy"},
            mixinStandardHelpOptions = true,
            description = "Authorization policies of each Service.")
    int policies(@Parameters(arity = "0..1", paramLabel = "WAYPOINT", description = WHOSE) @Nullable String waypoint)
            throws IOException {
        var view = view(waypoint);
        return dump.print(out(), view.policiesTable(), view.policies());
    }

    @Command(
            aliases = "o",
            mixinStandardHelpOptions = true,
            description = "Shows or changes which log lines it writes.")
    int log(
            @Option(
                            names = "--level",
                            paramLabel = "LEVELS",
                            description = "A level, or scope=level; several by comma.")
                    @Nullable
                    String level,
            @Option(
                            names = {"-r", "--reset"},
                            description = "Back to what it started with.")
                    boolean reset,
            @Parameters(paramLabel = "WAYPOINT", description = WHOSE) String waypoint)
            throws IOException {
        if (reset && level != null) {
            throw new ParameterException(spec.commandLine(), "log takes --level or --reset, not both");
        }
        out().print(ask(name(waypoint), "POST", ZtunnelConfig.loggingPath(level, reset)));
        out().flush();
        return 0;
    }

    private WaypointView view(@Nullable String waypoint) throws IOException {
        if (!dump.isSaved() && waypoint == null) {
            throw new ParameterException(
                    spec.commandLine(), "which waypoint? give NAME[.NAMESPACE], or a saved dump by --file");
        }
        return new WaypointView(dump.read(() -> ask(name(waypoint), "GET", "/config_dump")));
    }

    private Name name(@Nullable String text) {
        var given = text == null ? "" : text;
        var slash = given.indexOf('/');
        var dot = given.lastIndexOf('.');
        if (slash > 0) {
            return new Name(given.substring(0, slash), given.substring(slash + 1));
        }
        return dot > 0
                ? new Name(given.substring(dot + 1), given.substring(0, dot))
                : new Name(namespace == null ? "" : namespace, given);
    }

    /// A mesh on this machine goes before a cluster that is only in the environment.
    private String ask(Name whose, String method, String path) throws IOException {
        var client = state.client();
        if (cluster.isNamed() || (cluster.isKnown() && !client.isUp())) {
            try (var pods = new GatewayPods(cluster)) {
                var home = whose.namespace.isEmpty() ? "default" : whose.namespace;
                return pods.ask(home, whose.name, method, path);
            }
        }
        return client.page(method, localPod(client, whose), ADMIN_PORT, path);
    }

    /// The network namespace of the Gateway's pod, which has its name and a number.
    private static String localPod(SupervisorClient client, Name whose) throws IOException {
        var found = new ArrayList<String>();
        for (var pod : client.status().path("pods")) {
            var home = pod.path("namespace").asText();
            var name = pod.path("name").asText();
            var meant = name.equals(whose.name) || name.equals(whose.name + "-0");
            if (meant && (whose.namespace.isEmpty() || whose.namespace.equals(home))) {
                found.add("pod-" + home + "-" + name);
            }
        }
        if (found.size() != 1) {
            throw new MissingException(
                    found.isEmpty()
                            ? "no waypoint " + whose.name + " runs here; culvert status names the pods"
                            : "there are several: " + found + "; give NAME.NAMESPACE");
        }
        return found.getFirst();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
