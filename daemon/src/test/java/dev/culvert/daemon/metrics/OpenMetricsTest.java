package dev.culvert.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpenMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @Test
    void textIsThatOfIstiosNodeProxy() throws Exception {
        registry.counter("opened", "reporter", "source", "app", "a\"b\\c\nd").increment(42);
        registry.gauge("open", 7);
        registry.counter("message_bytes", "url", "u").increment(12);
        DistributionSummary.builder("wait_seconds")
                .serviceLevelObjectives(0.0005, 0.1, 1, 5)
                .distributionStatisticExpiry(Duration.ofDays(3650))
                .tag("request_protocol", "udp")
                .register(registry)
                .record(0.25);
        var families = List.of(
                MetricFamily.counter("opened_total", "Connections opened", "reporter", "app"),
                MetricFamily.gauge("open", "Open now"),
                MetricFamily.counter("message_bytes_total", "Bytes", "url").withUnit("bytes"),
                new MetricFamily(
                        "wait_seconds",
                        MetricFamily.Type.HISTOGRAM,
                        List.of("request_protocol"),
                        "Wait",
                        "seconds",
                        true));

        assertThat(text(families)).isEqualTo("""
                # HELP opened Connections opened.
                # TYPE opened counter
                opened_total{reporter="source",app="a\\"b\\\\c\\nd"} 42
                # HELP open Open now.
                # TYPE open gauge
                open 7
                # HELP message_bytes Bytes.
                # TYPE message_bytes counter
                # UNIT message_bytes bytes
                message_bytes_total{url="u"} 12
                # HELP wait_seconds Wait.
                # TYPE wait_seconds histogram
                # UNIT wait_seconds seconds
                wait_seconds_sum{request_protocol="udp"} 0.25
                wait_seconds_count{request_protocol="udp"} 1
                wait_seconds_bucket{le="0.0005",request_protocol="udp"} 0
                wait_seconds_bucket{le="0.1",request_protocol="udp"} 0
                wait_seconds_bucket{le="1.0",request_protocol="udp"} 1
                wait_seconds_bucket{le="5.0",request_protocol="udp"} 1
                wait_seconds_bucket{le="+Inf",request_protocol="udp"} 1
                # EOF
                """);
    }

    @Test
    void aFamilyAppearsWithItsFirstSample() throws Exception {
        var family = List.of(MetricFamily.counter("failed_total", "Failures", "reason"));
        assertThat(text(family)).isEqualTo("# EOF\n");
        var counter = registry.counter("failed", "reason", "x");
        assertThat(text(family)).isEqualTo("# EOF\n");
        counter.increment();
        assertThat(text(family)).contains("failed_total{reason=\"x\"} 1\n");
        registry.counter("plain");
        assertThat(text(List.of(MetricFamily.counter("plain_total", "Plain")))).contains("plain_total 0\n");
    }

    @Test
    void namesFollowTheirTypes() {
        assertThatThrownBy(() -> MetricFamily.counter("opened", "Opened")).hasMessageContaining("_total");
        assertThatThrownBy(() -> MetricFamily.gauge("open_total", "Open")).hasMessageContaining("_total");
    }

    private String text(List<MetricFamily> families) throws IOException {
        var out = new StringWriter();
        OpenMetrics.write(families, registry, out);
        return out.toString();
    }
}
