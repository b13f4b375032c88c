package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.document.GeneratedSection;
import dev.culvert.daemon.log.LogFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The documents say what the code does.
class DocumentsTest {
    @Test
    void settings() throws Exception {
        GeneratedSection.check(
                "configuration.md",
                "istiod-lite",
                GeneratedSection.settings(IstiodSettings.from(new Env(Map.of())).settings()));
    }

    @Test
    void metrics() throws Exception {
        GeneratedSection.check("metrics.md", "istiod-lite", GeneratedSection.metrics(IstiodProcess.METRICS));
    }

    @Test
    void everyDefault() throws Exception {
        var settings = IstiodSettings.from(new Env(Map.of()));
        assertThat(settings.grpcPort()).isEqualTo(15012);
        assertThat(settings.monitoringPort()).isEqualTo(15014);
        assertThat(settings.clusterId()).isEqualTo("Kubernetes");
        assertThat(settings.trustDomain()).isEqualTo("cluster.local");
        assertThat(settings.rootNamespace()).isEqualTo("istio-system");
        assertThat(settings.log().format()).isEqualTo(LogFormat.PLAIN);
        assertThat(settings.log().filter()).hasToString("info");
    }

    @Test
    void everyKeyCanBeChanged() throws Exception {
        var settings = IstiodSettings.from(new Env(Map.of(
                "CULVERT_GRPC_PORT",
                "1",
                "CULVERT_MONITORING_PORT",
                "2",
                "CLUSTER_ID",
                "c",
                "TRUST_DOMAIN",
                "td",
                "ROOT_NAMESPACE",
                "root",
                "LOG_FORMAT",
                "json",
                "RUST_LOG",
                "debug")));
        assertThat(settings.grpcPort()).isEqualTo(1);
        assertThat(settings.monitoringPort()).isEqualTo(2);
        assertThat(settings.clusterId() + settings.trustDomain() + settings.rootNamespace())
                .isEqualTo("ctdroot");
        assertThat(settings.log().format()).isEqualTo(LogFormat.JSON);
        assertThat(settings.log().filter()).hasToString("debug");
        assertThatThrownBy(() -> IstiodSettings.from(new Env(Map.of("CULVERT_GRPC_PORT", "x", "LOG_FORMAT", "y"))))
                .hasMessageContaining("CULVERT_GRPC_PORT")
                .hasMessageContaining("LOG_FORMAT");
    }
}
