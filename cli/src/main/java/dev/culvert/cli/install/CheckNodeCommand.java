package dev.culvert.cli.install;

import dev.culvert.cli.install.Finding.Level;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `culvert check node`.
@Command(
        name = "node",
        mixinStandardHelpOptions = true,
        description = {
            "Says whether this node can capture pods, before the mesh is installed or after: its kernel, its network"
                    + " provider, its MTU, and how its kubelet is known.",
            "Run it on the node, as root. Where a cluster is named, NetworkPolicies that do not let the mesh's port"
                    + " 15008 through are looked for too."
        })
final class CheckNodeCommand implements Callable<Integer> {
    private static final String SECTION = "network policies";

    @ParentCommand
    CheckCommand check = new CheckCommand();

    @Option(
            names = "--root",
            paramLabel = "DIR",
            defaultValue = "/",
            description = "Where the node's files are seen (default: ${DEFAULT-VALUE}).")
    Path root = Path.of("/");

    @Option(
            names = "--cni-conf-dir",
            paramLabel = "DIR",
            defaultValue = "/etc/cni/net.d",
            description = "The container runtime's network configurations (default: ${DEFAULT-VALUE}).")
    Path confDir = Path.of("/etc/cni/net.d");

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        var findings = new ArrayList<>(new NodeChecks(root, confDir.toAbsolutePath()).all());
        findings.addAll(policies());
        return Finding.print(findings, spec.commandLine().getOut());
    }

    private List<Finding> policies() throws IOException {
        if (!check.cluster.isNamed() && !check.cluster.isKnown()) {
            return List.of(new Finding(
                    SECTION,
                    Level.WARNING,
                    "not looked at, no cluster is named",
                    "'culvert check', or this with --kubeconfig, says which ones do not let port 15008 through."));
        }
        try (var client = check.cluster.client()) {
            var cluster = new Cluster(client);
            var pods = cluster.list(Cluster.POD, "", Map.of()).stream()
                    .filter(pod -> !Boolean.TRUE.equals(pod.<Object>get("spec", "hostNetwork")))
                    .toList();
            var blocked = Checks.policies(cluster, pods);
            return blocked.isEmpty()
                    ? List.of(new Finding(SECTION, Level.FINE, "all let port 15008 through", ""))
                    : blocked;
        }
    }
}
