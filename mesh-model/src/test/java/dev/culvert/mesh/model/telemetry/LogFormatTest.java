package dev.culvert.mesh.model.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.mesh.model.telemetry.LogFormat.Operator;
import dev.culvert.mesh.model.telemetry.LogFormat.Text;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogFormatTest {
    @Test
    void textAndOperatorsAlternate() {
        assertThat(LogFormat.parse("a %REQ(X?Y):12% 5%% %START_TIME(%Y-%m)%%PROTOCOL:3%\n")
                        .pieces())
                .containsExactly(
                        new Text("a "),
                        new Operator("REQ", "X?Y", 12),
                        new Text(" 5% "),
                        new Operator("START_TIME", "%Y-%m", 0),
                        new Operator("PROTOCOL", "", 3),
                        new Text("\n"));
        assertThat(LogFormat.parse("").pieces()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "100%", "%req(x)%", "%REQ(X)", "%REQ(X%", "%REQ(X):%", "%REQ(X):9999999%", "% %"})
    void whatBeginsNoOperatorIsNamed(String format) {
        assertThatThrownBy(() -> LogFormat.parse("ab " + format))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"%");
    }

    @Test
    void operatorsWithoutAValueHereAreToldOnce() {
        assertThat(LogFormat.parse("%HOSTNAME% %REQ(X)% %CONNECTION_ID% %HOSTNAME% %UPSTREAM_LOCAL_ADDRESS%")
                        .unknown())
                .containsExactly("HOSTNAME", "CONNECTION_ID");
        assertThat(LogFormat.DEFAULT.unknown()).isEmpty();
    }
}
