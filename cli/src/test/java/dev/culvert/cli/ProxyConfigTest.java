package dev.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/// What `culvert proxy-config` shows of a saved dump.
class ProxyConfigTest {
    private static final String DUMP = "src/test/resources/waypoint_dump.json";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int culvert(String... arguments) {
        return Culvert.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void routes() {
        assertThat(culvert("proxy-config", "routes", "-f", DUMP)).isZero();
        assertThat(out.toString()).isEqualTo("""
                        SERVICE                       PORT  PROTOCOL  ROUTE         MATCH                                ACTION
                        berth.quay.svc.cluster.local  8080  HTTP1     quay.slots.0  GET prefix /slots header pilot-name  berth.quay.svc.cluster.local:8080/swell 20, berth.quay.svc.cluster.local:8080/calm 80
                        berth.quay.svc.cluster.local  8080  HTTP1     quay.slots.1  /old or 1 more                       redirect 302
                        berth.quay.svc.cluster.local  8080  HTTP1     default       *                                    gone.quay.svc.cluster.local:80 (answers 503)
                        """);
    }

    @Test
    void clustersAndEndpointsShowWhoIsLeftAlone() {
        assertThat(culvert("pc", "clusters", "-f", DUMP)).isZero();
        assertThat(out.toString()).isEqualTo("""
                        SERVICE FQDN                  PORT  SUBSET  BALANCING      HEALTHY  CONNECTIONS  REQUESTS
                        berth.quay.svc.cluster.local  8080  swell   LEAST_REQUEST  1/2      3            1
                        """);
        out.getBuffer().setLength(0);
        assertThat(culvert("pc", "ep", "-f", DUMP)).isZero();
        assertThat(out.toString()).isEqualTo("""
                        ENDPOINT       STATUS   OUTLIER CHECK      WORKLOAD      REQUESTS  CLUSTER
                        10.1.0.4:8080  HEALTHY  OK                 quay/berth-0  1         inbound-vip|8080|swell|berth.quay.svc.cluster.local
                        10.1.0.5:8080  EJECTED  FAILED, 29 s left  quay/berth-1  0         inbound-vip|8080|swell|berth.quay.svc.cluster.local
                        """);
    }

    @Test
    void policies() {
        assertThat(culvert("waypoint-config", "policies", "-f", DUMP)).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAMESPACE  POLICY NAME     ACTION          RULES  SERVICE
                        quay       tariff-readers  ALLOW           1      berth.quay.svc.cluster.local
                        quay       trial           DENY (dry run)  2      berth.quay.svc.cluster.local
                        """);
    }

    @Test
    void jsonHasTheDumpsFields() {
        assertThat(culvert("pc", "policies", "-o", "json", "-f", DUMP)).isZero();
        assertThat(out.toString()).contains("\"service\" : \"berth.quay.svc.cluster.local\"", "\"dryRun\" : true");
    }

    @Test
    void withoutAWaypointItIsAskedForOne() {
        assertThat(culvert("pc", "routes")).isEqualTo(2);
        assertThat(err.toString()).contains("which waypoint?");
        assertThat(culvert("pc", "log", "-r", "--level", "debug", "w")).isEqualTo(2);
    }
}
