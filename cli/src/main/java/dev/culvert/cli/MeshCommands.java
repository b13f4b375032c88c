package dev.culvert.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.local.LocalMesh;
import dev.culvert.cli.local.MissingException;
import dev.culvert.cli.local.SupervisorClient;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The commands that start, stop and ask a mesh on this machine; each is one method.
final class MeshCommands {
    private MeshCommands() {}

    /// A command with a state folder and a place to print.
    abstract static class OnMesh {
        @Mixin
        StateOption state = new StateOption();

        @Spec
        CommandSpec spec = CommandSpec.create();

        PrintWriter out() {
            return spec.commandLine().getOut();
        }

        SupervisorClient client() {
            return state.client();
        }

        static String encoded(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }

        int print(String text) {
            out().print(text);
            out().flush();
            return 0;
        }
    }

    /// `culvert up DIR`.
    @Command(
            name = "up",
            mixinStandardHelpOptions = true,
            description = "Starts a mesh on this machine from a folder of Kubernetes YAML, which is watched.")
    static final class Up extends OnMesh implements Callable<Integer> {
        @Parameters(paramLabel = "DIR", description = "The folder.")
        Path folder = Path.of(".");

        @Option(
                names = "--nodes",
                paramLabel = "N",
                description = "How many nodes (default: ${DEFAULT-VALUE}).",
                defaultValue = "2")
        int nodes;

        @Override
        public Integer call() throws IOException, InterruptedException {
            var mesh = LocalMesh.start(state.directory(), folder, nodes);
            mesh.awaitReady(line -> print(line + "\n"));
            return print("The mesh is up. Try: culvert status; culvert ztunnel-config workload; culvert down\n");
        }
    }

    /// `culvert down`.
    @Command(
            name = "down",
            mixinStandardHelpOptions = true,
            description = "Ends the mesh; nothing stays but the state folder.")
    static final class Down extends OnMesh implements Callable<Integer> {
        @Override
        public Integer call() throws IOException, InterruptedException {
            LocalMesh.stop(state.directory());
            return print("The mesh is down.\n");
        }
    }

    /// `culvert status`.
    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Pods and programs of the mesh; exit code 1 while something is not ready.")
    static final class Status extends OnMesh implements Callable<Integer> {
        @Option(
                names = {"-o", "--output"},
                description = "short or json.",
                defaultValue = "short")
        String output = "short";

        @Override
        public Integer call() throws IOException {
            var status = client().status();
            if (output.equals("json")) {
                print(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(status) + "\n");
            } else {
                print(programs(status).text() + "\n" + pods(status).text());
            }
            return LocalMesh.waitsFor(status).isEmpty() ? 0 : 1;
        }

        private static Table programs(JsonNode status) {
            var rows = new ArrayList<List<String>>();
            for (var process : status.path("processes")) {
                rows.add(List.of(
                        process.path("name").asText(),
                        process.path("running").asBoolean() ? "running" : "ended",
                        process.path("restarts").asText(),
                        process.path("log").asText()));
            }
            return new Table(List.of("PROGRAM", "STATE", "RESTARTS", "LOG"), rows);
        }

        private static Table pods(JsonNode status) {
            var rows = new ArrayList<List<String>>();
            for (var pod : status.path("pods")) {
                var redirection = pod.path("redirection").asText();
                rows.add(List.of(
                        pod.path("namespace").asText(),
                        pod.path("name").asText(),
                        pod.path("node").asText(),
                        pod.path("addresses").path(0).asText() + ","
                                + pod.path("addresses").path(1).asText(),
                        pod.path("ready").asBoolean() ? "True" : "False",
                        pod.path("restarts").asText(),
                        redirection.isEmpty() ? "no" : redirection));
            }
            return new Table(List.of("NAMESPACE", "POD", "NODE", "ADDRESS", "READY", "RESTARTS", "CAPTURED"), rows);
        }
    }

    /// `culvert logs NAME`.
    @Command(
            name = "logs",
            mixinStandardHelpOptions = true,
            description = "The log of a program or of a pod's containers.")
    static final class Logs extends OnMesh implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "istiod-lite, NODE/agent, NODE/ztunnel, or a pod.")
        String name = "";

        @Option(names = "--tail", paramLabel = "N", description = "Only the last lines.")
        @Nullable
        Integer tail;

        @Option(
                names = {"-f", "--follow"},
                description = "Go on with what is written from now on, until interrupted or the mesh is down.")
        boolean follow;

        @Override
        public Integer call() throws IOException, InterruptedException {
            var logs = logs(client().status());
            if (logs.isEmpty()) {
                throw new MissingException("nothing is named " + name + "; see: culvert status");
            }
            var tails = logs.stream().map(LogTail::new).toList();
            for (var log : tails) {
                var lines = log.read();
                var from = tail == null ? 0 : Math.max(0, lines.size() - tail);
                lines.subList(from, lines.size()).forEach(line -> out().println(line));
            }
            out().flush();
            while (follow && client().isUp()) {
                Thread.sleep(LogTail.PERIOD);
                for (var log : tails) {
                    log.read().forEach(line -> out().println(line));
                }
                out().flush();
            }
            return 0;
        }

        private List<Path> logs(JsonNode status) {
            var logs = new ArrayList<Path>();
            for (var process : status.path("processes")) {
                if (process.path("name").asText().equals(name)) {
                    logs.add(Path.of(process.path("log").asText()));
                }
            }
            for (var pod : status.path("pods")) {
                var own = pod.path("name").asText();
                if (name.equals(own) || name.equals(pod.path("namespace").asText() + "/" + own)) {
                    pod.path("logs").forEach(log -> logs.add(Path.of(log.asText())));
                }
            }
            return logs;
        }
    }

    /// `culvert exec POD -- COMMAND`.
    @Command(
            name = "exec",
            mixinStandardHelpOptions = true,
            description = "Runs a command in a pod; its exit code is ours.")
    static final class Exec extends OnMesh implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "POD", description = "NAMESPACE/NAME, or the name alone.")
        String pod = "";

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "After --.")
        List<String> command = List.of();

        @Override
        public Integer call() throws IOException {
            return client().exec(pod, command, this::print);
        }
    }

    /// `culvert replace NODE`.
    @Command(
            name = "replace",
            mixinStandardHelpOptions = true,
            description =
                    "Replaces a node's ztunnel by another process, as an upgrade does: the next one starts beside it"
                            + " and takes over new connections, then the last one serves what it has open to the end, or to its"
                            + " deadline.")
    static final class Replace extends OnMesh implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NODE", description = "The node, such as node-1.")
        String node = "";

        @Parameters(
                index = "1..*",
                arity = "0..*",
                paramLabel = "COMMAND",
                description = "The next ztunnel's command line, after --; the same program again without it.")
        List<String> command = List.of();

        @Override
        public Integer call() throws IOException {
            var client = client();
            var request = client.request("replace").put("node", node);
            command.forEach(request.putArray("command")::add);
            client.ask(request);
            return print(node + " has another ztunnel.\n");
        }
    }

    /// `culvert why FROM TO:PORT`.
    @Command(
            name = "why",
            mixinStandardHelpOptions = true,
            description = "Explains where a connection would go and which rule allows or refuses it.",
            exitCodeList = {"0:allowed", "1:refused", "2:wrong usage", "3:no such pod, or no mesh"},
            exitCodeListHeading = "%nExit codes:%n")
    static final class Why extends OnMesh implements Callable<Integer> {
        @Parameters(
                index = "0",
                paramLabel = "FROM",
                description = "The calling pod: NAMESPACE/NAME, or the name alone.")
        String from = "";

        @Parameters(index = "1", paramLabel = "TO:PORT", description = "An address, a host name, or a pod.")
        String to = "";

        @Override
        public Integer call() throws IOException {
            var client = client();
            var status = client.status();
            var caller = pod(status, from).orElseThrow(() -> new MissingException("no pod " + from));
            var target = target(status);
            var path = "/culvert/explain?from=" + encoded(key(caller)) + "&to=" + encoded(target);
            var why =
                    new ObjectMapper().readTree(client.admin(caller.path("node").asText(), path));
            out().println("route:  " + why.path("route").path("text").asText());
            out().println("policy: " + why.path("policy").path("text").asText());
            if (!why.path("advice").asText("").isEmpty()) {
                out().println("advice: " + why.path("advice").asText());
            }
            lastLine(status, caller, target).ifPresent(line -> out().println("last:   " + line));
            out().flush();
            return why.path("policy").path("allowed").asBoolean() ? 0 : 1;
        }

        private String target(JsonNode status) {
            var colon = to.lastIndexOf(':');
            var host = colon < 0 ? to : to.substring(0, colon);
            var port = colon < 0 ? ":80" : to.substring(colon);
            return pod(status, host)
                    .map(pod -> pod.path("addresses").path(0).asText() + port)
                    .orElse(host + port);
        }

        private static Optional<JsonNode> pod(JsonNode status, String name) {
            for (var pod : status.path("pods")) {
                if (name.equals(key(pod)) || name.equals(pod.path("name").asText())) {
                    return Optional.of(pod);
                }
            }
            return Optional.empty();
        }

        private static String key(JsonNode pod) {
            return pod.path("namespace").asText() + "/" + pod.path("name").asText();
        }

        /// The newest line of any ztunnel's access log about this caller and this target.
        private static Optional<String> lastLine(JsonNode status, JsonNode caller, String target) throws IOException {
            var workload = "src.workload=\"" + caller.path("name").asText() + "\"";
            var newest = Optional.<String>empty();
            for (var process : status.path("processes")) {
                var log = Path.of(process.path("log").asText());
                if (!process.path("name").asText().endsWith("/ztunnel") || !Files.exists(log)) {
                    continue;
                }
                for (var line : Files.readAllLines(log)) {
                    var about = line.contains("\taccess\t") && line.contains(workload) && line.contains(target);
                    if (about && newest.map(last -> last.compareTo(line) < 0).orElse(true)) {
                        newest = Optional.of(line);
                    }
                }
            }
            return newest;
        }
    }

    /// What `up` starts inside the namespaces; not for users.
    @Command(name = "local-supervisor", hidden = true)
    static final class LocalSupervisor extends OnMesh implements Callable<Integer> {
        @Option(names = "--folder", required = true)
        Path folder = Path.of(".");

        @Option(names = "--nodes", required = true)
        int nodes;

        @Override
        public Integer call() throws IOException, InterruptedException {
            LocalMesh.supervise(state.directory(), folder, nodes);
            return 0;
        }
    }
}
