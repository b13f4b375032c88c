package dev.culvert.waypoint.telemetry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogSetup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where Istio's access log goes: lines that have their form already. Thread-safe.
final class AccessLines {
    private static final Logger READY = LoggerFactory.getLogger(LogSetup.READY_LINES);
    private static final ObjectMapper JSON = new ObjectMapper();

    private AccessLines() {}

    static void write(AccessFormat format, AccessEntry entry) {
        if (READY.isInfoEnabled()) {
            READY.info("{}", format == AccessFormat.JSON ? json(entry) : entry.text());
        }
    }

    static String json(AccessEntry entry) {
        try {
            return JSON.writeValueAsString(entry.fields());
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
