package dev.culvert.waypoint.trace;

import java.util.concurrent.ThreadLocalRandom;

/// Whose part a request is. Immutable.
/// @param traceId 32 digits of lower-case hex, not all zero
/// @param spanId 16 digits, not all zero: of whoever asks
/// @param decision whether spans are wanted
/// @param state W3C's `tracestate`, as it came; empty without one
record TraceContext(String traceId, String spanId, Decision decision, String state) {
    /// Longer ones are left behind, as Trace Context §3.3.1.5 allows.
    static final int MAX_STATE = 512;

    /// What whoever began the trace has said.
    enum Decision {
        /// Left to us.
        NONE,
        SAMPLED,
        NOT_SAMPLED
    }

    static TraceContext begun(boolean sampled) {
        return new TraceContext(newSpanId() + newSpanId(), "", sampled ? Decision.SAMPLED : Decision.NOT_SAMPLED, "");
    }

    boolean sampled() {
        return decision == Decision.SAMPLED;
    }

    /// The same trace, asked on by another span.
    TraceContext by(String span, boolean sampled) {
        return new TraceContext(traceId, span, sampled ? Decision.SAMPLED : Decision.NOT_SAMPLED, state);
    }

    static String newSpanId() {
        long id;
        do {
            id = ThreadLocalRandom.current().nextLong();
        } while (id == 0);
        var hex = Long.toHexString(id);
        return "0".repeat(16 - hex.length()) + hex;
    }
}
