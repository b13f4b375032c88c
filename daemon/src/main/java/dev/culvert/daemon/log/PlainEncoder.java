package dev.culvert.daemon.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Istio's plain form: time, level, scope, message and fields, with a tab between each of them. Control characters
/// are escaped, so that what strangers send cannot fake a line.
final class PlainEncoder extends EncoderBase<ILoggingEvent> {
    @Override
    public byte[] encode(ILoggingEvent event) {
        var line = new StringBuilder(160);
        Timestamps.append(line, event.getInstant());
        line.append('\t').append(event.getLevel().toString().toLowerCase(Locale.ROOT));
        line.append('\t').append(Scope.shown(event.getLoggerName())).append('\t');
        var message = event.getFormattedMessage();
        if (message != null && !message.isEmpty()) {
            escape(line, message);
            line.append('\t');
        }
        appendFields(line, event);
        line.append('\n');
        return line.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void appendFields(StringBuilder line, ILoggingEvent event) {
        var separator = "";
        var fields = event.getKeyValuePairs();
        if (fields != null) {
            for (var field : fields) {
                line.append(separator).append(field.key).append('=');
                appendValue(line, field.value);
                separator = " ";
            }
        }
        var thrown = event.getThrowableProxy();
        if (thrown != null) {
            line.append(separator).append("error=");
            appendValue(line, thrown.getClassName() + ": " + thrown.getMessage());
            if (thrown.getStackTraceElementProxyArray().length > 0) {
                line.append('\n').append(ThrowableProxyUtil.asString(thrown).stripTrailing());
            }
        }
    }

    private static void appendValue(StringBuilder line, @Nullable Object value) {
        if (value instanceof CharSequence text) {
            line.append('"');
            escape(line, text.toString().replace("\\", "\\\\").replace("\"", "\\\""));
            line.append('"');
        } else {
            escape(line, String.valueOf(value));
        }
    }

    private static void escape(StringBuilder line, String text) {
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (Character.isISOControl(c)) {
                        line.append(String.format(Locale.ROOT, "\\u{%x}", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
    }

    @Override
    public byte[] headerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] footerBytes() {
        return new byte[0];
    }
}
