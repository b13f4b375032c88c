package dev.culvert.hbone.failure;

import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// An expected failure of one connection; without a stack unless it is our own mistake.
public final class ProxyException extends Exception {
    private static final long serialVersionUID = 1L;

    private final FailureReason reason;

    private ProxyException(FailureReason reason, String message, @Nullable Throwable cause) {
        super(message, cause, true, reason == FailureReason.BUG);
        this.reason = reason;
    }

    public static ProxyException of(FailureReason reason, String message) {
        return new ProxyException(reason, message, null);
    }

    /// What went wrong as a failure of a connection; an unexpected kind of throwable is a mistake of ours.
    public static ProxyException of(Throwable cause) {
        var inner = cause instanceof CompletionException && cause.getCause() != null ? cause.getCause() : cause;
        return inner instanceof ProxyException known
                ? known
                : new ProxyException(FailureReason.BUG, "unexpected " + inner, inner);
    }

    public FailureReason reason() {
        return reason;
    }

    public String text() {
        return String.valueOf(getMessage());
    }
}
