package dev.culvert.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.local.SupervisorClient;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `culvert holes`.
@Command(
        name = "holes",
        mixinStandardHelpOptions = true,
        description =
                "What of captured pods the mesh does not carry: open connections, and what their authors have excluded;"
                        + " exit code 1 if there is anything.")
final class Holes extends MeshCommands.OnMesh implements Callable<Integer> {
    @Option(names = "--cut", description = "End them, by a reset to both sides, and list what was ended.")
    boolean cut;

    @Option(names = "--pod", paramLabel = "NAMESPACE/NAME", description = "Only those of this pod.")
    String pod = "";

    @Override
    public Integer call() throws IOException {
        var rows = rows(client());
        if (!cut) {
            rows.addAll(openings(client()));
        }
        print(new Table(List.of("NODE", "POD", "DIRECTION", "LOCAL", "REMOTE", "SINCE"), rows).text());
        return rows.isEmpty() || cut ? 0 : 1;
    }

    /// What stays open for as long as the pod's object says so.
    private List<List<String>> openings(SupervisorClient client) throws IOException {
        var rows = new ArrayList<List<String>>();
        for (var one : client.status().path("pods")) {
            var name = one.path("namespace").asText() + "/" + one.path("name").asText();
            if (one.path("redirection").asText().isEmpty() || (!pod.isEmpty() && !pod.equals(name))) {
                continue;
            }
            for (var opening : one.path("openings")) {
                var words = opening.asText().split(" ", 2);
                var inbound = words[0].equals("inbound");
                rows.add(List.of(
                        one.path("node").asText(),
                        name,
                        words[0],
                        inbound ? words[1] : "-",
                        inbound ? "-" : words[1],
                        "by its object"));
            }
        }
        return rows;
    }

    private String ask(SupervisorClient client, String node) throws IOException {
        return cut
                ? client.adminPost(node, "/culvert/holes/cut?pod=" + encoded(pod))
                : client.admin(node, "/culvert/holes");
    }

    private List<List<String>> rows(SupervisorClient client) throws IOException {
        var rows = new ArrayList<List<String>>();
        for (var node : client.status().path("nodes")) {
            for (var hole : new ObjectMapper().readTree(ask(client, node.asText()))) {
                if (!pod.isEmpty() && !pod.equals(hole.path("pod").asText())) {
                    continue;
                }
                rows.add(List.of(
                        node.asText(),
                        hole.path("pod").asText(),
                        hole.path("direction").asText(),
                        hole.path("local").asText(),
                        hole.path("remote").asText(),
                        hole.path("since").asText()));
            }
        }
        return rows;
    }
}
