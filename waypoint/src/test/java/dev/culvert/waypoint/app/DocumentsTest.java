package dev.culvert.waypoint.app;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.document.GeneratedSection;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The documents say what the code does, and wrong settings stop the start.
class DocumentsTest {
    @Test
    void settings() throws Exception {
        var settings = WaypointConfig.from(new Env(Map.of())).settings();
        GeneratedSection.check("configuration.md", "waypoint", GeneratedSection.settings(settings));
    }

    @Test
    void metrics() throws Exception {
        GeneratedSection.check("metrics.md", "waypoint", GeneratedSection.metrics(WaypointProcess.families()));
    }

    @Test
    void everyMistakeIsTold() {
        var wrong = Map.of(
                "XDS_ADDRESS",
                "http://plain:15010",
                "INSTANCE_IP",
                "here",
                "SERVICE_ACCOUNT",
                "a/b",
                "CULVERT_WORKERS",
                "-1");
        assertThatThrownBy(() -> WaypointConfig.from(new Env(wrong)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("XDS_ADDRESS", "INSTANCE_IP", "SERVICE_ACCOUNT", "CULVERT_WORKERS");
    }
}
