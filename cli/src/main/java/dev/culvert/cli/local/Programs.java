package dev.culvert.cli.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which commands run the mesh. In a test some may be missing: then that part does not run.
/// @param culvert what `culvert` means inside pods
public record Programs(
        List<String> controlPlane,
        List<String> agent,
        List<String> ztunnel,
        List<String> waypoint,
        List<String> culvert) {
    private static final String CONTROLLER = "istiod-lite/target/dist/bin/istiod-lite";

    /// The built programs of a source tree, each of them unless a variable names another command line.
    /// @throws IOException names what is not built
    public static Programs built(Path root) throws IOException {
        return new Programs(
                other("CULVERT_ISTIOD", root, CONTROLLER),
                other("CULVERT_AGENT", root, "cni-plugin/agent/target/dist/bin/culvert-cni-agent"),
                other("CULVERT_ZTUNNEL", root, "ztunnel/target/dist/bin/ztunnel", "proxy", "ztunnel"),
                other("CULVERT_WAYPOINT", root, "waypoint/target/dist/bin/waypoint"),
                List.of(program(root, "cli/target/dist/bin/culvert")));
    }

    private static String program(Path root, String place) throws IOException {
        var program = root.resolve(place);
        if (!Files.isExecutable(program)) {
            throw new MissingException(program.getFileName() + " is not built: " + program
                    + " is missing; run ./mvnw -DskipTests package");
        }
        return program.toString();
    }

    /// The built controller of the source tree that this program belongs to.
    /// @throws IOException it is not there
    public static List<String> controller() throws IOException {
        return List.of(program(LocalMesh.root(), CONTROLLER));
    }

    /// Ours, or the command line in a variable: any program that takes the same arguments and environment.
    private static List<String> other(String variable, Path root, String place, String... arguments)
            throws IOException {
        var other = System.getenv(variable);
        if (other != null && !other.isBlank()) {
            return List.of(other.strip().split("\\s+"));
        }
        var command = new ArrayList<>(List.of(program(root, place)));
        command.addAll(List.of(arguments));
        return command;
    }

    /// A directory for PATH that has `culvert` in it.
    Path pathDirectory(Path state) throws IOException {
        var directory = Files.createDirectories(state.resolve("bin"));
        var script = directory.resolve("culvert");
        var words = culvert.stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .toList();
        Files.writeString(script, "#!/bin/sh\nexec " + String.join(" ", words) + " \"$@\"\n");
        if (!script.toFile().setExecutable(true)) {
            throw new IOException("cannot make " + script + " executable");
        }
        return directory;
    }

    /// The environment of a node's ztunnel.
    static Map<String, String> ztunnelEnvironment(Path state, String node, String address) {
        var environment = new LinkedHashMap<String, String>();
        environment.put("NODE_NAME", node);
        environment.put("POD_NAME", "ztunnel-" + node);
        environment.put("POD_NAMESPACE", "istio-system");
        environment.put("SERVICE_ACCOUNT", "ztunnel");
        environment.put("INSTANCE_IP", address);
        environment.put("INPOD_UDS", "/run/culvert/" + node + "/ztunnel.sock");
        environment.put("XDS_ADDRESS", "https://" + Addressing.CONTROL_PLANE_V4 + ":15012");
        environment.put("CA_ADDRESS", "https://" + Addressing.CONTROL_PLANE_V4 + ":15012");
        environment.put("XDS_ROOT_CA", state.resolve("istiod/root-cert.pem").toString());
        environment.put("CA_ROOT_CA", state.resolve("istiod/root-cert.pem").toString());
        environment.put(
                "AUTH_TOKEN",
                state.resolve("istiod/tokens/" + node + "/istio-token").toString());
        environment.put(
                "CULVERT_STATE_DIR", state.resolve("nodes/" + node + "/ztunnel").toString());
        environment.put("CULVERT_KEYS_DIR", "/run/culvert/" + node + "/keys");
        return environment;
    }
}
