package dev.culvert.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.cli.install.ClusterOptions;
import dev.culvert.cli.install.ZtunnelPods;
import dev.culvert.cli.view.DumpView;
import dev.culvert.cli.view.DumpView.ConnectionFilter;
import dev.culvert.cli.view.DumpView.WorkloadFilter;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// What a ztunnel knows; columns and filters as `istioctl ztunnel-config`.
@Command(
        name = "ztunnel-config",
        aliases = "zc",
        mixinStandardHelpOptions = true,
        description = "Shows what the ztunnel of a node knows.")
public final class ZtunnelConfig {
    @Mixin
    StateOption state = new StateOption();

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = "--node",
            paramLabel = "NODE",
            scope = ScopeType.INHERIT,
            description = "Whose ztunnel (default: the first node).")
    @Nullable
    String node;

    @Mixin
    Dump dump = new Dump();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Command(
            aliases = {"w", "workloads"},
            mixinStandardHelpOptions = true,
            description = "Pods and other workloads.")
    int workload(
            @Option(names = "--address", paramLabel = "IP", description = "Only with this address.") @Nullable
                    String address,
            @Option(names = "--workload-namespace", paramLabel = "NS", description = "Only of this namespace.")
                    @Nullable
                    String namespace,
            @Option(names = "--workload-node", paramLabel = "NODE", description = "Only on this node.") @Nullable
                    String onNode,
            @Parameters(arity = "0..1", paramLabel = "POD", description = "Only this pod.") @Nullable String pod)
            throws IOException {
        var view = view();
        var filter = new WorkloadFilter(
                Optional.ofNullable(address),
                Optional.ofNullable(namespace),
                Optional.ofNullable(onNode),
                Optional.ofNullable(pod));
        return print(view.workloadTable(filter), view.workloads(filter));
    }

    @Command(
            aliases = {"s", "svc", "services"},
            mixinStandardHelpOptions = true,
            description = "Services, their addresses and endpoints.")
    int service(
            @Option(names = "--service-namespace", paramLabel = "NS", description = "Only of this namespace.") @Nullable
                    String namespace)
            throws IOException {
        var view = view();
        var wanted = Optional.ofNullable(namespace);
        return print(view.serviceTable(wanted), view.services(wanted));
    }

    @Command(
            aliases = {"p", "pol", "policies"},
            mixinStandardHelpOptions = true,
            description = "Authorization policies.")
    int policy(
            @Option(names = "--policy-namespace", paramLabel = "NS", description = "Only of this namespace.") @Nullable
                    String namespace)
            throws IOException {
        var view = view();
        var wanted = Optional.ofNullable(namespace);
        return print(view.policyTable(wanted), view.policies(wanted));
    }

    @Command(
            aliases = {"cert", "certs", "certificates"},
            mixinStandardHelpOptions = true,
            description = "Certificates that it holds for its pods.")
    int certificate() throws IOException {
        var view = view();
        return print(view.certificateTable(), view.certificates());
    }

    @Command(
            name = "connections",
            aliases = {"connection", "cons"},
            mixinStandardHelpOptions = true,
            description = "Open connections of its pods.")
    int connections(
            @Option(names = "--workload-namespace", paramLabel = "NS", description = "Only of this namespace.")
                    @Nullable
                    String namespace,
            @Option(names = "--direction", paramLabel = "DIRECTION", description = "inbound or outbound.") @Nullable
                    String direction,
            @Option(names = "--raw", description = "Addresses instead of names.") boolean raw)
            throws IOException {
        var view = view();
        var filter = new ConnectionFilter(Optional.ofNullable(namespace), Optional.ofNullable(direction), raw);
        return print(view.connectionTable(filter), view.workloadState());
    }

    @Command(mixinStandardHelpOptions = true, description = "All of these one after another.")
    int all(@Option(names = "--with-headers", description = "A title above each table.") boolean headers)
            throws IOException {
        var view = view();
        if (!dump.isShort()) {
            return print(new Table(List.of(), List.of()), view.dump());
        }
        var titles = List.of("WORKLOADS", "SERVICES", "POLICIES", "CERTIFICATES", "CONNECTIONS");
        var tables = view.tables();
        for (var i = 0; i < tables.size(); i++) {
            out().print((i > 0 ? "\n" : "")
                    + (headers ? titles.get(i) + "\n" : "")
                    + tables.get(i).text());
        }
        out().flush();
        return 0;
    }

    @Command(
            aliases = "o",
            mixinStandardHelpOptions = true,
            description = "Shows or changes which log lines a ztunnel writes.")
    int log(
            @Option(
                            names = "--level",
                            paramLabel = "LEVELS",
                            description =
                                    "A level (off, error, warn, info, debug, trace), or scope=level; several by comma.")
                    @Nullable
                    String level,
            @Option(
                            names = {"-r", "--reset"},
                            description = "Back to what it started with.")
                    boolean reset)
            throws IOException {
        if (dump.isSaved() || (reset && level != null)) {
            throw new ParameterException(
                    spec.commandLine(), "log asks a running ztunnel, and takes --level or --reset, not both");
        }
        var answer = ask("POST", loggingPath(level, reset));
        out().print(answer.node() + ":\n" + answer.text());
        out().flush();
        return 0;
    }

    /// As istioctl asks; a `:` that its users write is taken for `=`, which alone ztunnel takes.
    static String loggingPath(@Nullable String level, boolean reset) {
        if (reset) {
            return "/logging?level=info&reset";
        }
        var text =
                switch (level) {
                    case null -> "";
                    case "warning" -> "warn";
                    case "critical" -> "error";
                    default -> level.replaceAll("(?<!:):(?!:)", "=");
                };
        return "/logging?level=" + URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /// A mesh on this machine goes before a cluster that is only in the environment.
    private ZtunnelPods.Answer ask(String method, String path) throws IOException {
        var client = state.client();
        if (cluster.isNamed() || (cluster.isKnown() && !client.isUp())) {
            try (var pods = new ZtunnelPods(cluster)) {
                return pods.ask(node, method, path);
            }
        }
        var of = node == null ? client.status().path("nodes").path(0).asText() : node;
        var text = method.equals("POST") ? client.adminPost(of, path) : client.admin(of, path);
        return new ZtunnelPods.Answer(of, text);
    }

    private DumpView view() throws IOException {
        return new DumpView(dump.read(() -> ask("GET", "/config_dump").text()), Instant.now());
    }

    private int print(Table table, JsonNode items) throws IOException {
        return dump.print(out(), table, items);
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
