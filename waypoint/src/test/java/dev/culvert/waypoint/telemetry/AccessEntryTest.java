package dev.culvert.waypoint.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/// Istio's access log, to the letter.
class AccessEntryTest {
    private static final Instant START = Instant.parse("2026-11-21T01:02:03.456789Z");
    private static final AccessEntry ANSWERED = new AccessEntry(
            START,
            "GET",
            "/tariffs?x=1",
            "HTTP/1.1",
            200,
            "-",
            "via_upstream",
            3,
            1042,
            17,
            12,
            new AccessEntry.Headers("10.1.0.7", "curl/8", "7f2d", "berth:8080"),
            new AccessEntry.Upstream("10.1.2.3:8080", "inbound-vip|8080|http|berth.quay.svc.cluster.local"),
            "10.96.0.4:8080",
            "10.1.0.7:40312",
            "default");
    private static final AccessEntry TCP = new AccessEntry(
            START,
            "",
            "",
            "",
            0,
            "UF",
            "",
            0,
            0,
            5,
            -1,
            AccessEntry.Headers.NONE,
            AccessEntry.Upstream.NONE,
            "10.96.0.4:9000",
            "10.1.0.7:40312",
            "");

    @Test
    void textHasIstiosFieldsInTheirOrder() {
        assertThat(ANSWERED.text())
                .isEqualTo(
                        "[2026-11-21T01:02:03.456Z] \"GET /tariffs?x=1 HTTP/1.1\" 200 - via_upstream - \"-\" 3 1042 17 12"
                                + " \"10.1.0.7\" \"curl/8\" \"7f2d\" \"berth:8080\" \"10.1.2.3:8080\""
                                + " inbound-vip|8080|http|berth.quay.svc.cluster.local - 10.96.0.4:8080 10.1.0.7:40312 - default");
    }

    @Test
    void whatIsNotKnownIsADash() {
        assertThat(TCP.text())
                .isEqualTo("[2026-11-21T01:02:03.456Z] \"- - -\" 0 UF - - \"-\" 0 0 5 - \"-\" \"-\" \"-\" \"-\" \"-\""
                        + " - - 10.96.0.4:9000 10.1.0.7:40312 - -");
    }

    @Test
    void aStrangerCannotEndALineOrAQuotedWord() {
        var forged = new AccessEntry(
                START,
                "GET",
                "/",
                "HTTP/1.1",
                200,
                "-",
                "via_upstream",
                0,
                0,
                1,
                1,
                new AccessEntry.Headers("", "a\" 200\n[fake", "", ""),
                AccessEntry.Upstream.NONE,
                "10.96.0.4:80",
                "10.1.0.7:1",
                "r");
        assertThat(forged.text()).contains("\"a\\\" 200\\x0a[fake\"").doesNotContain("\n");
    }

    @Test
    void jsonHasIstiosKeysAndNumbersStayNumbers() {
        assertThat(AccessLines.json(ANSWERED))
                .isEqualTo("{\"start_time\":\"2026-11-21T01:02:03.456Z\",\"route_name\":\"default\",\"method\":\"GET\","
                        + "\"path\":\"/tariffs?x=1\",\"protocol\":\"HTTP/1.1\",\"response_code\":200,\"response_flags\":\"-\","
                        + "\"response_code_details\":\"via_upstream\",\"connection_termination_details\":null,"
                        + "\"bytes_received\":3,\"bytes_sent\":1042,\"duration\":17,\"upstream_service_time\":\"12\","
                        + "\"x_forwarded_for\":\"10.1.0.7\",\"user_agent\":\"curl/8\",\"request_id\":\"7f2d\","
                        + "\"authority\":\"berth:8080\",\"upstream_host\":\"10.1.2.3:8080\","
                        + "\"upstream_cluster\":\"inbound-vip|8080|http|berth.quay.svc.cluster.local\","
                        + "\"upstream_local_address\":null,\"downstream_local_address\":\"10.96.0.4:8080\","
                        + "\"downstream_remote_address\":\"10.1.0.7:40312\",\"requested_server_name\":null,"
                        + "\"upstream_transport_failure_reason\":null}");
    }
}
