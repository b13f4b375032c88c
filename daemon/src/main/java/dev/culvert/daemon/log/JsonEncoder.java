package dev.culvert.daemon.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Istio's JSON form: one object a line, fields as flat keys with dots; numbers and booleans stay what they are.
final class JsonEncoder extends EncoderBase<ILoggingEvent> {
    private static final JsonFactory JSON = new JsonFactory();

    @Override
    public byte[] encode(ILoggingEvent event) {
        var bytes = new ByteArrayOutputStream(256);
        try (var json = JSON.createGenerator(bytes)) {
            var time = new StringBuilder(32);
            Timestamps.append(time, event.getInstant());
            json.writeStartObject();
            json.writeStringField("level", event.getLevel().toString().toLowerCase(Locale.ROOT));
            json.writeStringField("time", time.toString());
            json.writeStringField("scope", event.getLoggerName());
            if (event.getFormattedMessage() != null
                    && !event.getFormattedMessage().isEmpty()) {
                json.writeStringField("message", event.getFormattedMessage());
            }
            writeFields(json, event);
            json.writeEndObject();
            json.writeRaw('\n');
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    private static void writeFields(JsonGenerator json, ILoggingEvent event) throws IOException {
        var fields = event.getKeyValuePairs();
        if (fields != null) {
            for (var field : fields) {
                json.writeFieldName(field.key);
                writeValue(json, field.value);
            }
        }
        var thrown = event.getThrowableProxy();
        if (thrown != null) {
            json.writeStringField("error", thrown.getClassName() + ": " + thrown.getMessage());
            if (thrown.getStackTraceElementProxyArray().length > 0) {
                json.writeStringField("stack", ThrowableProxyUtil.asString(thrown));
            }
        }
    }

    private static void writeValue(JsonGenerator json, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> json.writeNull();
            case Boolean truth -> json.writeBoolean(truth);
            case Long number -> json.writeNumber(number);
            case Integer number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            default -> json.writeString(value.toString());
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
