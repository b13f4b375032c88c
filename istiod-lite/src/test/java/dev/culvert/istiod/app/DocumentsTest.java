package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.document.GeneratedSection;
import dev.culvert.daemon.log.AccessFormat;
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
        assertThat(settings.httpPort()).isEqualTo(8080);
        assertThat(settings.debugPort()).isEqualTo(9876);
        assertThat(settings.clusterDomain()).isEqualTo("cluster.local");
        assertThat(settings.namespace()).isEqualTo("istio-system");
        assertThat(settings.podName()).isEqualTo("istiod");
        assertThat(settings.nodeAccounts()).containsExactly("istio-system/ztunnel");
        assertThat(settings.tokenAudiences()).containsExactly("istio-ca");
        assertThat(settings.customHost()).isEmpty();
        assertThat(settings.waypointAccessLog()).isEqualTo(AccessFormat.FIELDS);
        assertThat(settings.network() + settings.waypointImage()).isEmpty();
        assertThat(settings.revision() + " " + settings.service()).isEqualTo("default istiod");
        assertThat(settings.log().format()).isEqualTo(LogFormat.PLAIN);
        assertThat(settings.log().filter()).hasToString("info");
    }

    @Test
    void everyKeyCanBeChanged() throws Exception {
        var settings = IstiodSettings.from(new Env(Map.ofEntries(
                Map.entry("CULVERT_GRPC_PORT", "1"),
                Map.entry("CULVERT_MONITORING_PORT", "2"),
                Map.entry("CULVERT_HTTP_PORT", "3"),
                Map.entry("CULVERT_DEBUG_PORT", "4"),
                Map.entry("CLUSTER_ID", "c"),
                Map.entry("TRUST_DOMAIN", "td"),
                Map.entry("ROOT_NAMESPACE", "root"),
                Map.entry("DOMAIN_SUFFIX", "example.org"),
                Map.entry("NETWORK", "n"),
                Map.entry("POD_NAME", "istiod-0"),
                Map.entry("POD_NAMESPACE", "mesh"),
                Map.entry("REVISION", "blue"),
                Map.entry("CA_TRUSTED_NODE_ACCOUNTS", "a/b, c/d"),
                Map.entry("TOKEN_AUDIENCES", "x,y"),
                Map.entry("ISTIOD_CUSTOM_HOST", "h1"),
                Map.entry("CULVERT_WAYPOINT_IMAGE", "waypoint:1"),
                Map.entry("CULVERT_WAYPOINT_ACCESS_LOG", "text"),
                Map.entry("LOG_FORMAT", "json"),
                Map.entry("RUST_LOG", "debug"))));
        assertThat(settings.grpcPort()).isEqualTo(1);
        assertThat(settings.monitoringPort()).isEqualTo(2);
        assertThat(settings.httpPort()).isEqualTo(3);
        assertThat(settings.debugPort()).isEqualTo(4);
        assertThat(settings.clusterId() + settings.trustDomain() + settings.rootNamespace())
                .isEqualTo("ctdroot");
        assertThat(settings.clusterDomain() + settings.network()).isEqualTo("example.orgn");
        assertThat(settings.podName() + settings.namespace() + settings.revision())
                .isEqualTo("istiod-0meshblue");
        assertThat(settings.service()).isEqualTo("istiod-blue");
        assertThat(settings.nodeAccounts()).containsExactlyInAnyOrder("a/b", "c/d");
        assertThat(settings.tokenAudiences()).containsExactly("x", "y");
        assertThat(settings.customHost()).containsExactly("h1");
        assertThat(settings.waypointImage()).isEqualTo("waypoint:1");
        assertThat(settings.waypointAccessLog()).isEqualTo(AccessFormat.TEXT);
        assertThat(settings.log().format()).isEqualTo(LogFormat.JSON);
        assertThat(settings.log().filter()).hasToString("debug");
        assertThatThrownBy(() -> IstiodSettings.from(new Env(Map.of("REVISION", "Blue"))))
                .hasMessageContaining("REVISION");
        assertThat(IstiodSettings.from(new Env(Map.of("REVISION", ""))).revision())
                .isEqualTo("default");
        assertThatThrownBy(() -> IstiodSettings.from(new Env(Map.of("CULVERT_GRPC_PORT", "x", "LOG_FORMAT", "y"))))
                .hasMessageContaining("CULVERT_GRPC_PORT")
                .hasMessageContaining("LOG_FORMAT");
    }
}
