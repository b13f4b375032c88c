package dev.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CulvertTest {
    private static final Path DUMP = Path.of("src/test/resources/config_dump.json");

    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int culvert(String... arguments) {
        return Culvert.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void workloadsOfASavedDumpAreATableWithIstiosColumns() {
        assertThat(culvert("ztunnel-config", "workload", "-f", DUMP.toString())).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAMESPACE  POD NAME  ADDRESS                     NODE    WAYPOINT  PROTOCOL
                        shop       server-0  198.18.65.3,2001:2:0:41::3  node-1  None      HBONE
                        outside    stranger  198.18.66.5                 node-2  None      TCP
                        """);
    }

    @Test
    void filtersNarrowAndJsonKeepsTheDumpsFields() {
        assertThat(culvert("zc", "w", "--workload-namespace", "outside", "-o", "json", "-f", DUMP.toString()))
                .isZero();
        assertThat(out.toString()).contains("\"name\" : \"stranger\"").doesNotContain("server-0");
    }

    @Test
    void yamlHasTheSameItems() {
        assertThat(culvert("zc", "w", "--workload-namespace", "outside", "-o", "yaml", "-f", DUMP.toString()))
                .isZero();
        assertThat(out.toString())
                .startsWith("- ")
                .contains("  name: stranger\n")
                .doesNotContain("server-0");
    }

    @Test
    void logLevelsAreAskedForAsIstioctlDoes() {
        assertThat(ZtunnelConfig.loggingPath(null, false)).isEqualTo("/logging?level=");
        assertThat(ZtunnelConfig.loggingPath(null, true)).isEqualTo("/logging?level=info&reset");
        assertThat(ZtunnelConfig.loggingPath("warning", false)).isEqualTo("/logging?level=warn");
        assertThat(ZtunnelConfig.loggingPath("critical", false)).isEqualTo("/logging?level=error");
        assertThat(ZtunnelConfig.loggingPath("ztunnel::proxy:debug,info", false))
                .isEqualTo("/logging?level=ztunnel%3A%3Aproxy%3Ddebug%2Cinfo");
        assertThat(culvert("zc", "log", "--level", "debug", "-r")).isEqualTo(2);
    }

    @Test
    void servicesShowHealthyEndpoints() {
        assertThat(culvert("zc", "service", "-f", DUMP.toString())).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAMESPACE  SERVICE NAME  SERVICE VIP                   WAYPOINT  ENDPOINTS
                        shop       server        198.19.0.10,2001:2:0:ffff::a  None      1/2
                        """);
    }

    @Test
    void aBootstrapFileOfGrpcNamesTokenOrCertificate() throws Exception {
        assertThat(culvert("x", "grpc-bootstrap", "-n", "shop", "--locality", "north/n1"))
                .isZero();
        var json = new ObjectMapper().readTree(out.toString());
        var control = json.path("xds_servers").path(0);
        assertThat(control.path("server_uri").asText()).isEqualTo("istiod.istio-system.svc:15012");
        var config = control.path("channel_creds").path(0).path("config");
        assertThat(config.path("jwt_token_file").asText()).isEqualTo("/var/run/secrets/tokens/istio-token");
        assertThat(control.path("call_creds").path(0).path("config").path("jwt_token_file"))
                .isEqualTo(config.path("jwt_token_file"));
        assertThat(json.path("node").path("id").asText()).isEqualTo("sidecar~0.0.0.0~grpc.shop~shop.svc.cluster.local");
        assertThat(json.path("node").path("locality").toString()).isEqualTo("{\"region\":\"north\",\"zone\":\"n1\"}");
        assertThat(json.has("certificate_providers")).isFalse();
        assertThat(json.has("server_listener_resource_name_template")).isFalse();

        out.getBuffer().setLength(0);
        assertThat(culvert("x", "grpc-bootstrap", "--cert-dir", "/certs", "--server-listeners"))
                .isZero();
        var certified = new ObjectMapper().readTree(out.toString());
        assertThat(certified.path("xds_servers").path(0).has("call_creds")).isFalse();
        assertThat(certified.path("server_listener_resource_name_template").asText())
                .isEqualTo("xds.istio.io/grpc/lds/inbound/%s");
        assertThat(certified
                        .path("certificate_providers")
                        .path("default")
                        .path("config")
                        .path("private_key_file"))
                .isEqualTo(certified
                        .path("xds_servers")
                        .path(0)
                        .path("channel_creds")
                        .path(0)
                        .path("config")
                        .path("private_key_file"));
        assertThat(culvert("x", "grpc-bootstrap", "--locality", "a/b/c/d")).isEqualTo(2);
    }

    @Test
    void policiesCertificatesAndConnectionsAreShown() {
        assertThat(culvert("zc", "policy", "-f", DUMP.toString())).isZero();
        assertThat(out.toString())
                .contains("NAMESPACE  POLICY NAME  ACTION  SCOPE\nshop       only-web     Allow   Namespace");
        assertThat(culvert("zc", "certificate", "-f", DUMP.toString())).isZero();
        assertThat(out.toString())
                .containsPattern("spiffe://cluster.local/ns/shop/sa/server +Leaf +Available +true +ff +2096")
                .containsPattern("spiffe://cluster.local/ns/shop/sa/server +Root +Available +true +10 +")
                .containsPattern("spiffe://cluster.local/ns/shop/sa/web +NA +Initializing +false +NA");
        assertThat(culvert("zc", "cons", "-f", DUMP.toString())).isZero();
        assertThat(out.toString())
                .containsPattern("server-0.shop +Inbound +server-0.shop:8080 +198.18.65.9:40000 +- +HBONE");
        assertThat(culvert("zc", "connection", "--raw", "--direction", "outbound", "-f", DUMP.toString()))
                .isZero();
    }

    @Test
    void allShowsFiveTables() {
        assertThat(culvert("zc", "all", "--with-headers", "-f", DUMP.toString()))
                .isZero();
        assertThat(out.toString())
                .contains("WORKLOADS\n", "SERVICES\n", "POLICIES\n", "CERTIFICATES\n", "CONNECTIONS\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "holes", "down", "logs x", "zc workload", "exec x -- true", "why a b:80"})
    void withoutAMeshTheCodeIsThreeAndTheMessageSaysWhatToDo(String command) {
        var words = new ArrayList<>(List.of(command.split(" ", -1)));
        var at = words.contains("--") ? words.indexOf("--") : words.size();
        words.addAll(at, List.of("--state", directory.toString()));
        assertThat(culvert(words.toArray(String[]::new))).isEqualTo(3);
        assertThat(err.toString()).contains("no mesh runs here").contains("culvert up");
    }

    @Test
    void checkOfANodeNeedsNoClusterAndSaysSo() {
        assertThat(culvert("check", "node", "--root", directory.toString())).isEqualTo(1);
        assertThat(out.toString())
                .contains("there is no proc in " + directory, "--root", "no cluster is named", "results are ×");
    }

    @Test
    void wrongUsageIsTwo() {
        assertThat(culvert("zc", "workload", "--nonsense")).isEqualTo(2);
        assertThat(culvert("why")).isEqualTo(2);
        assertThat(err.toString()).contains("Missing required parameter");
    }

    @Test
    void versionIsACommandAndAnOption() {
        assertThat(culvert("version")).isZero();
        var printed = out.toString();
        assertThat(printed).startsWith("culvert ");
        assertThat(culvert("--version")).isZero();
        assertThat(out.toString()).isEqualTo(printed + printed);
    }

    @Test
    void helpNamesCommandsAndExitCodes() {
        assertThat(culvert("--help")).isZero();
        assertThat(out.toString())
                .contains("ztunnel-config", "holes", "why", "Exit codes:")
                .doesNotContain("supervisor");
        assertThat(culvert("generate-completion")).isZero();
        assertThat(out.toString()).contains("_complete_culvert");
    }
}
