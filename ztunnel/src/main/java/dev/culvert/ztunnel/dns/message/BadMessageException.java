package dev.culvert.ztunnel.dns.message;

import java.util.Optional;

/// Bytes that are not a question which can be answered.
public final class BadMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient byte[] answer;

    /// @param answer empty for none
    BadMessageException(String message, byte[] answer) {
        super(message, null, false, false);
        this.answer = answer;
    }

    /// What to tell the sender; empty where it must not be told anything (it answered, or is no DNS at all).
    public Optional<byte[]> answer() {
        return answer.length == 0 ? Optional.empty() : Optional.of(answer.clone());
    }
}
