package dev.culvert.waypoint.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is read of a trace's headers, and written.
final class TraceHeadersTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";

    /// @param text `name=value`, by `|`
    private static HttpHeaders headers(String text) {
        var headers = new DefaultHttpHeaders();
        for (var one : text.split("\\|", -1)) {
            if (!one.isEmpty()) {
                headers.add(one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1));
            }
        }
        return headers;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "traceparent=00-" + TRACE + "-" + SPAN + "-01;SAMPLED;[W3C]",
                "traceparent=00-" + TRACE + "-" + SPAN + "-00;NOT_SAMPLED;[W3C]",
                "traceparent=00-" + TRACE + "-" + SPAN + "-fe;NOT_SAMPLED;[W3C]",
                "traceparent=cc-" + TRACE + "-" + SPAN + "-01-of-the-future;SAMPLED;[W3C]",
                "b3=" + TRACE + "-" + SPAN + "-1;SAMPLED;[B3_SINGLE]",
                "b3=" + TRACE + "-" + SPAN + "-d-05e3ac9a4f6e3b90;SAMPLED;[B3_SINGLE]",
                "b3=" + TRACE + "-" + SPAN + ";NONE;[B3_SINGLE]",
                "b3=" + TRACE + "-" + SPAN + "-0;NOT_SAMPLED;[B3_SINGLE]",
                "x-b3-traceid=" + TRACE + "|x-b3-spanid=" + SPAN + ";NONE;[B3_MULTI]",
                "x-b3-traceid=" + TRACE + "|x-b3-spanid=" + SPAN + "|x-b3-sampled=0;NOT_SAMPLED;[B3_MULTI]",
                "x-b3-traceid=" + TRACE + "|x-b3-spanid=" + SPAN + "|x-b3-flags=1;SAMPLED;[B3_MULTI]",
                "traceparent=00-" + TRACE + "-" + SPAN + "-01|b3=" + TRACE + "-" + SPAN + "-0;SAMPLED;[W3C, B3_SINGLE]",
            })
    void aTraceIsTakenOver(String text, TraceContext.Decision decision, String forms) {
        var received = TraceHeaders.receive(headers(text)::getAll);
        assertThat(received.context()).contains(new TraceContext(TRACE, SPAN, decision, ""));
        assertThat(received.forms()).hasToString(forms);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "''",
                "traceparent=",
                "traceparent=ff-" + TRACE + "-" + SPAN + "-01",
                "traceparent=00-" + TRACE + "-" + SPAN + "-01-more",
                "traceparent=00-" + TRACE + "-" + SPAN,
                "traceparent=00-" + TRACE + "-" + SPAN + "-1",
                "traceparent=0-" + TRACE + "-" + SPAN + "-01",
                "traceparent=00-00000000000000000000000000000000-" + SPAN + "-01",
                "traceparent=00-" + TRACE + "-0000000000000000-01",
                "traceparent=00-4BF92F3577B34DA6A3CE929D0E0E4736-" + SPAN + "-01",
                "traceparent=00-4bf92f3577b34da6a3ce929d0e0e47-" + SPAN + "-01",
                "traceparent=00-" + TRACE + "-" + SPAN + "-01|traceparent=00-" + TRACE + "-" + SPAN + "-00",
                "b3=0",
                "b3=" + TRACE,
                "b3=" + TRACE + "-" + SPAN + "-1-05e3ac9a4f6e3b90-x",
                "x-b3-traceid=" + TRACE,
                "x-b3-spanid=" + SPAN,
                "x-b3-sampled=1",
                "x-b3-traceid=" + TRACE + "|x-b3-spanid=zzf067aa0ba902b7",
            })
    void whatIsNotWellFormedCountsAsAbsent(String text) {
        var received = TraceHeaders.receive(headers(text)::getAll);
        assertThat(received.context()).isEmpty();
        assertThat(received.forms()).containsExactly(TraceHeaders.W3C);
    }

    @Test
    void shortTraceIdsOfB3BecomeLongOnes() {
        var received = TraceHeaders.receive(headers("b3=a3ce929d0e0e4736-" + SPAN + "-1")::getAll);
        assertThat(received.context().orElseThrow().traceId()).isEqualTo("0000000000000000a3ce929d0e0e4736");
    }

    @Test
    void theStateGoesOnUnlessItIsTooLong() {
        var parent = "traceparent=00-" + TRACE + "-" + SPAN + "-01|tracestate=";
        var both = TraceHeaders.receive(headers(parent + "a=1|tracestate=b=2")::getAll);
        assertThat(both.context().orElseThrow().state()).isEqualTo("a=1,b=2");
        var tooLong = TraceHeaders.receive(headers(parent + "a=" + "x".repeat(511))::getAll);
        assertThat(tooLong.context().orElseThrow().state()).isEmpty();
    }

    @Test
    void whatIsWrittenIsRead() {
        var context = new TraceContext(TRACE, SPAN, TraceContext.Decision.SAMPLED, "");
        for (var form : TraceHeaders.values()) {
            var headers = headers("tracestate=old=1|x-b3-parentspanid=" + SPAN);
            form.write(headers, context, "");
            assertThat(TraceHeaders.receive(headers::getAll).context().map(TraceContext::traceId))
                    .as("%s", form)
                    .contains(TRACE);
            assertThat(TraceHeaders.receive(headers::getAll).forms())
                    .as("%s", form)
                    .isEqualTo(Set.of(form));
        }
    }
}
