package dev.culvert.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `culvert x grpc-bootstrap`.
@Command(
        name = "grpc-bootstrap",
        mixinStandardHelpOptions = true,
        description =
                "Prints the bootstrap file (GRPC_XDS_BOOTSTRAP) of a gRPC application that dials xds:///HOST:PORT.")
final class GrpcBootstrap implements Callable<Integer> {
    private static final int PLACES = 3;
    private static final String REFRESH = "600s";
    private static final String LISTENERS = "xds.istio.io/grpc/lds/inbound/%s";

    @Option(
            names = {"-n", "--namespace"},
            defaultValue = "default",
            description = "Of the application (default: ${DEFAULT-VALUE}).")
    String namespace = "";

    @Option(
            names = "--pod",
            defaultValue = "grpc",
            description = "Name of its pod, where its credentials do not tell it (default: ${DEFAULT-VALUE}).")
    String pod = "";

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "istiod.istio-system.svc:15012",
            description = "The control plane (default: ${DEFAULT-VALUE}).")
    String server = "";

    @Option(
            names = "--ca-file",
            paramLabel = "FILE",
            defaultValue = "/var/run/secrets/istio/root-cert.pem",
            description = "Whom to trust as control plane (default: ${DEFAULT-VALUE}).")
    String caFile = "";

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            defaultValue = "/var/run/secrets/tokens/istio-token",
            description = "A token of its service account with audience istio-ca (default: ${DEFAULT-VALUE}).")
    String tokenFile = "";

    @Option(
            names = "--cert-dir",
            paramLabel = "DIRECTORY",
            description = "Where its certificate of the mesh is: tls.crt, tls.key, ca.crt. Shown to the control plane,"
                    + " in place of a token, and to Services with tls.mode ISTIO_MUTUAL.")
    String certDir = "";

    @Option(
            names = "--server-listeners",
            description = "For a server that asks for its listener, too (in Java: XdsServerBuilder).")
    boolean serverListeners;

    @Option(
            names = "--locality",
            paramLabel = "REGION[/ZONE[/SUBZONE]]",
            description = "Where it runs, if the control plane does not know its pod.")
    String locality = "";

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        spec.commandLine()
                .getOut()
                .println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(bootstrap()));
        return 0;
    }

    private ObjectNode bootstrap() {
        var to = new ObjectMapper().createObjectNode();
        var control = to.putArray("xds_servers").addObject().put("server_uri", server);
        var config =
                control.putArray("channel_creds").addObject().put("type", "tls").putObject("config");
        config.put("ca_certificate_file", caFile);
        if (certDir.isEmpty()) {
            config.put("jwt_token_file", tokenFile);
            control.putArray("call_creds")
                    .addObject()
                    .put("type", "jwt_token_file")
                    .putObject("config")
                    .put("jwt_token_file", tokenFile);
        } else {
            certificate(config);
            var provider =
                    to.putObject("certificate_providers").putObject("default").put("plugin_name", "file_watcher");
            certificate(provider.putObject("config").put("ca_certificate_file", certDir + "/ca.crt"))
                    .put("refresh_interval", REFRESH);
        }
        control.putArray("server_features").add("xds_v3");
        if (serverListeners) {
            to.put("server_listener_resource_name_template", LISTENERS);
        }
        node(to.putObject("node"));
        return to;
    }

    private ObjectNode certificate(ObjectNode to) {
        return to.put("certificate_file", certDir + "/tls.crt").put("private_key_file", certDir + "/tls.key");
    }

    private void node(ObjectNode node) {
        node.put("id", "sidecar~0.0.0.0~" + pod + "." + namespace + "~" + namespace + ".svc.cluster.local");
        node.putObject("metadata").put("GENERATOR", "grpc").put("NAMESPACE", namespace);
        if (!locality.isEmpty()) {
            var parts = locality.split("/", -1);
            if (parts.length > PLACES) {
                throw new ParameterException(
                        spec.commandLine(), "--locality " + locality + " has more than region/zone/subzone");
            }
            var place = node.putObject("locality").put("region", parts[0]);
            if (parts.length > 1) {
                place.put("zone", parts[1]);
            }
            if (parts.length == PLACES) {
                place.put("sub_zone", parts[2]);
            }
        }
    }
}
