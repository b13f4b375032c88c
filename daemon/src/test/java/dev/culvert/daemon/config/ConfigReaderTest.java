package dev.culvert.daemon.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.culvert.daemon.config.Setting.Origin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
    @Test
    void defaultsAreReadAndListed() throws Exception {
        var read = new ConfigReader(new Env(Map.of()));

        assertThat(read.string("NETWORK", "", "Own network.")).isEmpty();
        assertThat(read.duration("TTL", Duration.ofHours(24), "Validity.")).isEqualTo(Duration.ofDays(1));
        assertThat(read.integer("PORT", 15012, 1, 65535, "Port.")).isEqualTo(15012);
        assertThat(read.bool("ON", true, "Switch.")).isTrue();
        assertThat(read.size("BUFFER", 65536, "Buffer.")).isEqualTo(65536);
        assertThat(read.path("DIR", Path.of("/x"), "Folder.")).isEqualTo(Path.of("/x"));
        assertThat(read.optional("NODE_NAME", "Node.")).isEmpty();
        assertThat(read.done())
                .extracting(Setting::name, Setting::defaultText, Setting::origin)
                .contains(tuple("TTL", "24h", Origin.DEFAULT), tuple("BUFFER", "64KiB", Origin.DEFAULT));
    }

    @Test
    void valuesOfTheEnvironmentWin() throws Exception {
        var read = new ConfigReader(new Env(Map.of(
                "TTL",
                "1h30m",
                "PORT",
                "1",
                "ON",
                "false",
                "BUFFER",
                "16MiB",
                "CLUSTER_ID",
                "b",
                "H_A",
                "1",
                "T",
                "x")));

        assertThat(read.duration("TTL", Duration.ofHours(24), "")).isEqualTo(Duration.ofMinutes(90));
        assertThat(read.integer("PORT", 15012, 1, 65535, "")).isEqualTo(1);
        assertThat(read.bool("ON", true, "")).isFalse();
        assertThat(read.size("BUFFER", 65536, "")).isEqualTo(16 << 20);
        assertThat(read.either("ISTIO_META_CLUSTER_ID", "CLUSTER_ID", "Kubernetes", ""))
                .isEqualTo("b");
        assertThat(read.prefixed("H_", "")).containsExactly(Map.entry("A", "1"));
        assertThat(read.secret("T", "")).contains("x");
        assertThat(read.done().toString()).contains("***").doesNotContain("value=x");
    }

    @Test
    void allMistakesAreToldTogether() {
        var read = new ConfigReader(new Env(Map.of("TTL", "soon", "PORT", "0", "ON", "yes", "OLD", "1")));
        read.duration("TTL", Duration.ofHours(24), "");
        read.integer("PORT", 15012, 1, 65535, "");
        read.bool("ON", true, "");
        read.removed("OLD", "NEW");

        assertThatThrownBy(read::done).isInstanceOf(ConfigException.class).hasMessage("""
                        TTL="soon": expected duration such as 500ms, 10s, 5m or 1h30m
                        PORT="0": expected integer 1..65535
                        ON="yes": expected true or false
                        OLD is no longer read: use NEW""");
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "10s,10000", "5m,300000", "1h30m,5400000", "0s,0"})
    void durationsReadAndPrintTheSame(String text, long millis) {
        assertThat(Durations.parse(text)).isEqualTo(Duration.ofMillis(millis));
        assertThat(Durations.print(Durations.parse(text))).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "s", "-1s", "1.5h", "10 s", "1d"})
    void otherDurationsAreRefused(String text) {
        assertThatThrownBy(() -> Durations.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
