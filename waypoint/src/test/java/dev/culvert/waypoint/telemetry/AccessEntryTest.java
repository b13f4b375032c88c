package dev.culvert.waypoint.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.mesh.model.telemetry.LogFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Istio's access log, to the letter, and formats of users.
class AccessEntryTest {
    @Test
    void textHasIstiosFieldsInTheirOrder() {
        assertThat(LineForm.TEXT.line(Entries.answered()))
                .isEqualTo(
                        "[2026-11-21T01:02:03.456Z] \"GET /tariffs?x=1 HTTP/1.1\" 200 - via_upstream - \"-\" 3 1042 17 12"
                                + " \"10.1.0.7\" \"curl/8\" \"7f2d\" \"berth:8080\" \"10.1.2.3:8080\""
                                + " inbound-vip|8080|http|berth.quay.svc.cluster.local - 10.96.0.4:8080 10.1.0.7:40312 - default");
    }

    @Test
    void whatIsNotKnownIsADash() {
        assertThat(LineForm.TEXT.line(Entries.tcp()))
                .isEqualTo("[2026-11-21T01:02:03.456Z] \"- - -\" 0 UF - - \"-\" 0 0 5 - \"-\" \"-\" \"-\" \"-\" \"-\""
                        + " - - 10.96.0.4:9000 10.1.0.7:40312 - -");
    }

    @Test
    void aStrangerCannotEndALineOrAQuotedWord() {
        assertThat(LineForm.text("\"%RESP(X-QUOTE)%\"").line(Entries.answered()))
                .isEqualTo("\"a\\\" 200\\x0a[fake\"");
        assertThat(LineForm.json("{\"q\":\"%RESP(X-QUOTE)%\"}").line(Entries.answered()))
                .isEqualTo("{\"q\":\"a\\\" 200\\n[fake\"}");
    }

    @Test
    void jsonHasIstiosKeysAndNumbersStayNumbers() {
        assertThat(LineForm.OBJECT.line(Entries.answered()))
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

    @ParameterizedTest
    @CsvSource(delimiter = ';', ignoreLeadingAndTrailingWhitespace = true, textBlock = """
            %REQ(X-TIDE)%                        ; high water
            %REQ(x-tide):4%                      ; high
            %REQ(X-NONE?X-TIDE)%                 ; high water
            %REQ(X-NONE)%                        ; -
            %REQ(:SCHEME)%://%REQ(:AUTHORITY)%   ; http://berth:8080
            %RESP(SERVER)%                       ; quay
            %TRAILER(grpc-message)%              ; tide
            %START_TIME(%Y/%m/%dT%H:%M:%S%z)%    ; 2026/11/21T01:02:03+0000
            %START_TIME(%s.%3f %6f)%             ; 1795222923.456 456789
            %START_TIME(%a %b %d %T %Q)%         ; Sat Nov 21 01:02:03 %Q
            %REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION% ; 2 14 3
            %UPSTREAM_REQUEST_ATTEMPT_COUNT%     ; 2
            %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT% ; 10.1.0.7 40312
            %DOWNSTREAM_LOCAL_PORT% %UPSTREAM_REMOTE_PORT% ; 8080 8080
            %DOWNSTREAM_PEER_URI_SAN%            ; spiffe://cluster.local/ns/quay/sa/portal
            %FILTER_STATE(io.istio.peer_principal)% ; spiffe://cluster.local/ns/quay/sa/portal
            %FILTER_STATE(wasm.upstream_peer)%   ; -
            %REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% ; 120 60
            %TRACE_ID%                           ; 4bf92f3577b34da6a3ce929d0e0e4736
            %CEL(request.url_path + '!')%        ; /tariffs!
            %CEL(request.headers['x-none'])%     ; -
            %SOMETHING_ELSE(a)% 100%%            ; - 100%
            """)
    void operatorsAreEnvoys(String format, String line) {
        assertThat(LineForm.text(format).line(Entries.answered())).isEqualTo(line);
    }

    @ParameterizedTest
    @CsvSource({
        "'', -, -, -",
        "5, NotFound, NOT_FOUND, 5",
        "0, OK, OK, 0",
        "14, Unavailable, UNAVAILABLE, 14",
        "4, DeadlineExceeded, DEADLINE_EXCEEDED, 4",
        "99, InvalidCode, InvalidCode, 99"
    })
    void statusesOfGrpcHaveThreeForms(String status, String camel, String snake, String number) {
        assertThat(LineForm.text("%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%")
                        .line(Entries.failed(status)))
                .isEqualTo(camel + " " + snake + " " + number);
    }

    @Test
    void jsonOfUsersMayBeDeepAndMixed() {
        assertThat(LineForm.json("{\"code\":\"%RESPONSE_CODE%\",\"in\":{\"line\":\"<%PROTOCOL%>\",\"none\":\"%X%\"}}")
                        .line(Entries.answered()))
                .isEqualTo("{\"code\":200,\"in\":{\"line\":\"<HTTP/1.1>\",\"none\":null}}");
        assertThatThrownBy(() -> LineForm.json("[]")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LineForm.json("{")).isInstanceOf(IllegalArgumentException.class);
    }

    /// Every operator that is said to have a value has one, of a request or of one of gRPC.
    @Test
    void everyKnownOperatorHasAValue() {
        for (var name : LogFormat.OPERATORS) {
            var argument =
                    switch (name) {
                        case "REQ" -> "(X-TIDE)";
                        case "RESP" -> "(SERVER)";
                        case "TRAILER" -> "(grpc-message)";
                        case "CEL" -> "(response.code)";
                        case "FILTER_STATE" -> "(io.istio.peer_principal)";
                        default -> "";
                    };
            var entry =
                    name.startsWith("GRPC") || name.equals("RESPONSE_FLAGS") ? Entries.failed("5") : Entries.answered();
            assertThat(LineForm.text("%" + name + argument + "%").line(entry))
                    .as(name)
                    .isNotEqualTo("-");
        }
    }
}
