package dev.culvert.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.view.DumpView;
import dev.culvert.cli.view.DumpView.ConnectionFilter;
import dev.culvert.cli.view.DumpView.WorkloadFilter;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
        JSON
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
        if (output == Output.JSON) {
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

    private DumpView view() throws IOException {
        return new DumpView(new ObjectMapper().readTree(dump()), Instant.now());
    }

    private String dump() throws IOException {
        if (file == null) {
            var client = state.client();
            var of = node == null ? client.status().path("nodes").path(0).asText() : node;
            return client.admin(of, "/config_dump");
        }
        if (file.equals("-")) {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        }
        return Files.readString(Path.of(file));
    }

    private int print(Table table, JsonNode items) throws IOException {
        var json = new ObjectMapper().writerWithDefaultPrettyPrinter();
        out().print(output == Output.JSON ? json.writeValueAsString(items) + "\n" : table.text());
        out().flush();
        return 0;
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
