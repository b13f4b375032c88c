package dev.culvert.daemon.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.admin.Page;
import dev.culvert.daemon.admin.Request;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class LogSetupTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void plainLinesAreIstios() {
        try (var _ = LogSetup.install(LogFormat.PLAIN, LogFilter.info(), out)) {
            LoggerFactory.getLogger("access")
                    .atInfo()
                    .addKeyValue(
                            "src.addr",
                            InetSocketAddress.createUnresolved("a", 1).getPort())
                    .addKeyValue("src.workload", "cart \"6\"")
                    .log("connection complete");
            LoggerFactory.getLogger("dev.culvert.ztunnel.inbound").warn("no fields");
        }
        assertThat(lines()[0])
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z\tinfo\taccess\tconnection complete\t"
                        + "src.addr=1 src.workload=\"cart \\\\\"6\\\\\"\"");
        assertThat(lines()[1]).endsWith("\twarn\tztunnel.inbound\tno fields\t");
    }

    @Test
    void strangersCannotFakeALine() {
        try (var _ = LogSetup.install(LogFormat.PLAIN, LogFilter.info(), out)) {
            LoggerFactory.getLogger("x")
                    .atInfo()
                    .addKeyValue("host", "a\nb\u001b")
                    .log("one\ttwo\n");
        }
        assertThat(lines()).hasSize(1);
        assertThat(lines()[0]).endsWith("one\\ttwo\\n\thost=\"a\\nb\\u{1b}\"");
    }

    @Test
    void jsonLinesHaveFlatKeysAndKeepNumbers() {
        try (var _ = LogSetup.install(LogFormat.JSON, LogFilter.info(), out)) {
            LoggerFactory.getLogger("access")
                    .atError()
                    .addKeyValue("bytes_sent", 12L)
                    .addKeyValue("src.workload", "cart")
                    .setCause(new IOException("gone"))
                    .log("connection complete");
        }
        assertThat(lines()[0])
                .contains("\"level\":\"error\"", "\"scope\":\"access\"", "\"message\":\"connection complete\"")
                .contains("\"bytes_sent\":12", "\"src.workload\":\"cart\"", "\"error\":\"java.io.IOException: gone\"");
    }

    @Test
    void linesThatHaveTheirFormStayAsTheyAre() {
        for (var format : LogFormat.values()) {
            out.reset();
            try (var _ = LogSetup.install(format, LogFilter.info(), out)) {
                LoggerFactory.getLogger(LogSetup.READY_LINES).info("{}", "[2026-11-21T01:02:03.456Z] \"GET /\" {}");
            }
            assertThat(lines()).containsExactly("[2026-11-21T01:02:03.456Z] \"GET /\" {}");
        }
    }

    @Test
    void levelsChangeAtRunTimeByScope() {
        try (var log = LogSetup.install(LogFormat.PLAIN, LogFilter.parse("warn"), out)) {
            var levels = log.levels();
            assertThat(levels.show()).isEqualTo("warn");

            levels.set("access=debug");
            LoggerFactory.getLogger("access").debug("seen");
            LoggerFactory.getLogger("dev.culvert.other").info("unseen");
            levels.set("ztunnel=info");
            LoggerFactory.getLogger("dev.culvert.ztunnel.X").info("seen too");
            assertThat(levels.show()).isEqualTo("ztunnel=info,access=debug,warn");

            levels.reset();
            LoggerFactory.getLogger("access").info("unseen");
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("seen too").doesNotContain("unseen");
        assertThat(lines()).hasSize(2);
    }

    @Test
    void thePageShowsAddsAndResets() throws Exception {
        try (var log = LogSetup.install(LogFormat.PLAIN, LogFilter.info(), out)) {
            var page = log.levels().page();
            assertThat(ask(page, Map.of())).isEqualTo("current log level is info\n");
            assertThat(ask(page, Map.of("level", "access=debug,warn")))
                    .isEqualTo("current log level is access=debug,warn\n");
            assertThat(ask(page, Map.of("level", "info", "reset", ""))).isEqualTo("current log level is info\n");
            assertThatThrownBy(() -> ask(page, Map.of("level", "mod:debug")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not a log level or scope=level: mod:debug");
        }
    }

    @Test
    void aReaderThatHasStoppedDelaysNobodyAndLossIsSaid() throws Exception {
        var stopped = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var slow = new FilterOutputStream(out) {
            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                stopped.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new InterruptedIOException();
                }
                out.write(bytes, from, count);
            }
        };
        try (var _ = LogSetup.install(LogFormat.PLAIN, LogFilter.info(), slow)) {
            var log = LoggerFactory.getLogger("x");
            log.info("first");
            stopped.await();
            for (var i = 0; i < 12_000; i++) {
                log.info("line");
            }
            goOn.countDown();
        }
        var lines = lines();
        var lost = Arrays.stream(lines)
                .filter(line -> line.contains("log lines were lost"))
                .toList();
        assertThat(lost).containsExactly("2000 log lines were lost: the log is not read fast enough");
        assertThat(lines).hasSize(1 + 10_000 + 1);
    }

    private static String ask(Page page, Map<String, String> query) throws Exception {
        var body = new ByteArrayOutputStream();
        page.answer(new Request("POST", "/logging", query, "", "")).body().writeTo(body);
        return body.toString(StandardCharsets.UTF_8);
    }

    private String[] lines() {
        return out.toString(StandardCharsets.UTF_8).split("\n");
    }
}
