package dev.culvert.daemon.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;

/// Writes lines of [LogSetup#READY_LINES] as they are, and leaves all others to another encoder.
final class ReadyLines extends EncoderBase<ILoggingEvent> {
    private final Encoder<ILoggingEvent> others;

    ReadyLines(Encoder<ILoggingEvent> others) {
        this.others = others;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        return event.getLoggerName().equals(LogSetup.READY_LINES)
                ? (event.getFormattedMessage() + "\n").getBytes(StandardCharsets.UTF_8)
                : others.encode(event);
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
