package dev.culvert.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.local.SupervisorClient;
import dev.culvert.cli.view.DumpView;
import dev.culvert.cli.view.DumpView.ConnectionFilter;
import dev.culvert.cli.view.DumpView.WorkloadFilter;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
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

/// What a ztunnel knows; columns and filters as `istioctl ztunnel-config`.
@Command(
        name = "ztunnel-config",
        aliases = "zc",
        mixinStandardHelpOptions = true,
        description = "Shows what the ztunnel of a node knows.")
public final class ZtunnelConfig {
    /// How to print.
    enum Output {
        SHORT,
        JSON,
        YAML
    }

    @Mixin
    StateOption state = new StateOption();

    @Option(
            names = "--node",
            paramLabel = "NODE",
            scope = ScopeType.INHERIT,
            description = "Whose ztunnel (default: the first node).")
    @Nullable
    String node;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "A saved /config_dump instead; - reads standard input.")
    @Nullable
    String file;

    @Option(
            names = {"-o", "--output"},
            scope = ScopeType.INHERIT,
            description = "${COMPLETION-CANDIDATES} (default: short).",
            defaultValue = "SHORT")
    Output output = Output.SHORT;

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
        if (output != Output.SHORT) {
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
        if (file != null || (reset && level != null)) {
            throw new ParameterException(
                    spec.commandLine(), "log asks a running ztunnel, and takes --level or --reset, not both");
        }
        var client = state.client();
        var of = nodeOf(client);
        out().print(of + ":\n" + client.adminPost(of, loggingPath(level, reset)));
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

    private String nodeOf(SupervisorClient client) throws IOException {
        return node == null ? client.status().path("nodes").path(0).asText() : node;
    }

    private DumpView view() throws IOException {
        return new DumpView(new ObjectMapper().readTree(dump()), Instant.now());
    }

    private String dump() throws IOException {
        if (file == null) {
            var client = state.client();
            return client.admin(nodeOf(client), "/config_dump");
        }
        if (file.equals("-")) {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        }
        return Files.readString(Path.of(file));
    }

    private int print(Table table, JsonNode items) throws IOException {
        out().print(
                        switch (output) {
                            case SHORT -> table.text();
                            case JSON ->
                                new ObjectMapper()
                                                .writerWithDefaultPrettyPrinter()
                                                .writeValueAsString(items) + "\n";
                            case YAML -> yaml(items);
                        });
        out().flush();
        return 0;
    }

    private static String yaml(JsonNode items) {
        var style = new DumperOptions();
        style.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        return new Yaml(style).dump(new ObjectMapper().convertValue(items, Object.class));
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
