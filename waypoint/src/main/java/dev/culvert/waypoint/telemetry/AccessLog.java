package dev.culvert.waypoint.telemetry;

import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogSetup;
import dev.culvert.mesh.model.telemetry.Expression;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One access log: which requests it has, and how its lines look. Thread-safe.
/// @param form null for the process's own
/// @param filter null for all
record AccessLog(@Nullable LineForm form, @Nullable Expression filter) {
    private static final Logger OURS = LoggerFactory.getLogger("access");
    private static final Logger READY = LoggerFactory.getLogger(LogSetup.READY_LINES);
    private static final int SHOWN = 256;

    static final AccessLog OF_PROCESS = new AccessLog(null, null);

    /// What cannot be understood is left out of it, so that rather too much is logged than too little.
    static AccessLog of(dev.culvert.protos.waypoint.AccessLog said) {
        var form =
                switch (said.getFormCase()) {
                    case TEXT -> or(LineForm.TEXT, LineForm::text, said.getText());
                    case JSON -> or(LineForm.OBJECT, LineForm::json, said.getJson());
                    case OWN, FORM_NOT_SET -> null;
                };
        var filter = said.getFilter().isEmpty()
                ? null
                : or(null, text -> Expression.parse(text, Operators::regex), said.getFilter());
        return new AccessLog(form, filter);
    }

    private static <T extends @Nullable Object> T or(T otherwise, Function<String, T> read, String text) {
        try {
            return read.apply(text);
        } catch (IllegalArgumentException broken) {
            OURS.warn("\"{}\" is not used for the access log: {}", text, broken.getMessage());
            return otherwise;
        }
    }

    /// Whether it has no line of anything.
    boolean isOff(AccessFormat own) {
        return form == null && own == AccessFormat.OFF;
    }

    /// @param own the process's own form
    void write(AccessFormat own, AccessEntry entry) {
        if (!wants(entry)) {
            return;
        }
        if (form != null) {
            ready(form, entry);
            return;
        }
        switch (own) {
            case FIELDS -> fields(entry);
            case TEXT -> ready(LineForm.TEXT, entry);
            case JSON -> ready(LineForm.OBJECT, entry);
            case OFF -> {}
        }
    }

    /// A filter that makes no sense of a request does not hide it; one that asks for what the request does not have
    /// does, as Envoy's.
    private boolean wants(AccessEntry entry) {
        if (filter == null) {
            return true;
        }
        return switch (filter.evaluate(new RequestAttributes(entry))) {
            case Expression.Result.Value(var value) -> !value.equals(false);
            case Expression.Result.Missing() -> false;
            case Expression.Result.Senseless() -> true;
        };
    }

    private static void ready(LineForm form, AccessEntry entry) {
        if (READY.isInfoEnabled()) {
            READY.info("{}", form.line(entry));
        }
    }

    private static String known(String text) {
        return text.isEmpty() ? "-" : text;
    }

    private static void fields(AccessEntry entry) {
        if (!OURS.isInfoEnabled()) {
            return;
        }
        var peers = entry.peers();
        var request = entry.request();
        var path = known(request.path());
        var line = OURS.atInfo()
                .addKeyValue("src.addr", peers.source())
                .addKeyValue(
                        "src.identity",
                        peers.identity() == null ? "-" : peers.identity().toString())
                .addKeyValue("dst.addr", peers.dialled())
                .addKeyValue("dst.service", known(peers.service()))
                .addKeyValue(
                        "dst.workload",
                        peers.destination() == null ? "-" : peers.destination().name())
                .addKeyValue("protocol", request.kind())
                .addKeyValue("method", known(request.method()))
                .addKeyValue("path", path.length() > SHOWN ? path.substring(0, SHOWN) + "…" : path)
                .addKeyValue("route", known(entry.route()))
                .addKeyValue("status", entry.answer().status())
                .addKeyValue("flags", entry.answer().flags())
                .addKeyValue("details", entry.answer().details())
                .addKeyValue("tries", entry.upstream().tries())
                .addKeyValue("bytes_received", request.received())
                .addKeyValue("bytes_sent", entry.answer().sent())
                .addKeyValue("duration", entry.took().toMillis() + "ms");
        var judged = entry.judged().policy().isEmpty()
                ? line
                : line.addKeyValue("policy", entry.judged().policy());
        (entry.judged().told().isEmpty()
                        ? judged
                        : judged.addKeyValue("told", entry.judged().told()))
                .log("request complete");
    }
}
