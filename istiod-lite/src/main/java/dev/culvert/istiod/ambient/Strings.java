package dev.culvert.istiod.ambient;

import com.google.protobuf.Empty;
import dev.culvert.protos.security.StringMatch;

/// Istio's patterns: `*`, `*end`, `start*`, or the whole.
final class Strings {
    private Strings() {}

    static StringMatch presence() {
        return StringMatch.newBuilder().setPresence(Empty.getDefaultInstance()).build();
    }

    static StringMatch prefix(String start) {
        return StringMatch.newBuilder().setPrefix(start).build();
    }

    static StringMatch pattern(String text) {
        if (text.equals("*")) {
            return presence();
        }
        if (text.startsWith("*")) {
            return StringMatch.newBuilder().setSuffix(text.substring(1)).build();
        }
        if (text.endsWith("*")) {
            return prefix(text.substring(0, text.length() - 1));
        }
        return StringMatch.newBuilder().setExact(text).build();
    }
}
