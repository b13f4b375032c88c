package dev.culvert.proxy.telemetry;

import static dev.culvert.proxy.telemetry.Traffic.Reporter.DESTINATION;
import static dev.culvert.proxy.telemetry.Traffic.Reporter.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.log.LogFilter;
import dev.culvert.daemon.log.LogFormat;
import dev.culvert.daemon.log.LogSetup;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Istio's lines, to the letter.
class AccessLogTest {
    private static final AccessLog.Endpoints TUNNEL =
            new AccessLog.Endpoints(at("10.8.1.17", 51022), at("10.8.2.40", 15008), "10.8.2.40:8080");
    private static final AccessLog.Endpoints PLAIN =
            new AccessLog.Endpoints(at("10.8.9.3", 40112), at("10.8.2.40", 8080), "");
    private static final String SOURCE_FIELDS = "src.addr=10.8.1.17:51022 src.workload=\"cart-6d9f-x2l\""
            + " src.namespace=\"shop\" src.identity=\"spiffe://cluster.local/ns/shop/sa/cart\" src.cluster=\"Kubernetes\"";
    private static final String DESTINATION_FIELDS = "dst.addr=10.8.2.40:15008 dst.hbone_addr=10.8.2.40:8080"
            + " dst.service=\"prices.shop.svc.cluster.local\" dst.workload=\"prices-7c4b-9qk\" dst.namespace=\"shop\""
            + " dst.identity=\"spiffe://cluster.local/ns/shop/sa/prices\" dst.cluster=\"Kubernetes\"";

    private static InetSocketAddress at(String ip, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), port);
    }

    private static String line(LogFormat format, String filter, Runnable event) {
        var out = new ByteArrayOutputStream();
        try (var _ = LogSetup.install(format, LogFilter.parse(filter), out)) {
            event.run();
        }
        return out.toString(StandardCharsets.UTF_8)
                .replaceAll("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z", "TIME");
    }

    private static AccessLog.Outcome outcome(String error) {
        return new AccessLog.Outcome(312, 1894, Duration.ofMillis(12), error);
    }

    @Test
    void aTunnelThatEndedWell() {
        var traffic = Shop.traffic(SOURCE, Shop.CART, true);
        assertThat(line(LogFormat.PLAIN, "info", () -> AccessLog.complete(traffic, TUNNEL, outcome(""))))
                .isEqualTo("TIME\tinfo\taccess\tconnection complete\t" + SOURCE_FIELDS + " " + DESTINATION_FIELDS
                        + " direction=\"outbound\" bytes_sent=312 bytes_recv=1894 duration=\"12ms\"\n");
    }

    @Test
    void theOpeningIsSaidAtDebug() {
        var traffic = Shop.traffic(SOURCE, Shop.CART, true);
        assertThat(line(LogFormat.PLAIN, "info", () -> AccessLog.opened(traffic, TUNNEL)))
                .isEmpty();
        assertThat(line(LogFormat.PLAIN, "info,access=debug", () -> AccessLog.opened(traffic, TUNNEL)))
                .isEqualTo("TIME\tdebug\taccess\tconnection opened\t" + SOURCE_FIELDS + " " + DESTINATION_FIELDS
                        + " direction=\"outbound\"\n");
    }

    @Test
    void plaintextFromAnUnknownClient() {
        var traffic = Shop.traffic(DESTINATION, null, false);
        assertThat(line(LogFormat.PLAIN, "info", () -> AccessLog.complete(traffic, PLAIN, outcome(""))))
                .isEqualTo("TIME\tinfo\taccess\tconnection complete\tsrc.addr=10.8.9.3:40112 dst.addr=10.8.2.40:8080"
                        + " dst.workload=\"prices-7c4b-9qk\" dst.namespace=\"shop\" dst.cluster=\"Kubernetes\""
                        + " direction=\"inbound\" bytes_sent=312 bytes_recv=1894 duration=\"12ms\"\n");
    }

    @Test
    void aRefusalIsAnErrorWithItsReasonLast() {
        var traffic = Shop.traffic(DESTINATION, null, false);
        assertThat(line(
                        LogFormat.PLAIN,
                        "info",
                        () -> AccessLog.complete(traffic, PLAIN, outcome("policy \"shop/no-debug\""))))
                .startsWith("TIME\terror\taccess\tconnection complete\tsrc.addr=10.8.9.3:40112 ")
                .endsWith(" duration=\"12ms\" error=\"policy \\\"shop/no-debug\\\"\"\n");
    }

    @Test
    void whatFailedBeforeItsContextWasKnown() {
        assertThat(line(
                        LogFormat.PLAIN,
                        "info",
                        () -> AccessLog.failed(
                                at("10.8.1.17", 60970),
                                at("10.96.4.20", 81),
                                "outbound",
                                "no healthy upstream: 10.96.4.20:81")))
                .isEqualTo("TIME\twarn\taccess\tconnection failed\tsrc.addr=10.8.1.17:60970 dst.addr=10.96.4.20:81"
                        + " direction=\"outbound\" error=\"no healthy upstream: 10.96.4.20:81\"\n");
    }

    @Test
    void jsonHasFlatKeysAndTextForAddresses() {
        var traffic = Shop.traffic(DESTINATION, null, false);
        assertThat(line(LogFormat.JSON, "info", () -> AccessLog.complete(traffic, PLAIN, outcome("gone"))))
                .isEqualTo(
                        "{\"level\":\"error\",\"time\":\"TIME\",\"scope\":\"access\",\"message\":\"connection complete\","
                                + "\"src.addr\":\"10.8.9.3:40112\",\"dst.addr\":\"10.8.2.40:8080\","
                                + "\"dst.workload\":\"prices-7c4b-9qk\",\"dst.namespace\":\"shop\",\"dst.cluster\":\"Kubernetes\","
                                + "\"direction\":\"inbound\",\"bytes_sent\":312,\"bytes_recv\":1894,\"duration\":\"12ms\","
                                + "\"error\":\"gone\"}\n");
    }
}
