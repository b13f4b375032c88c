package dev.culvert.hbone.codec;

/// Why a stream ended without END_STREAM.
/// @param retryable a CONNECT that still waits for its answer may be tried elsewhere: the peer did not look at the
///     stream (RFC 9113 §8.7), or the transport broke, and no byte of the application has been sent before the answer
public record StreamFailure(ErrorCode code, boolean retryable, String detail) {
    /// A reset that says "I am done" counts as a clean end of the reading side.
    public boolean isBenign() {
        return code == ErrorCode.NO_ERROR || code == ErrorCode.CANCEL;
    }

    @Override
    public String toString() {
        return code + " (" + detail + ")";
    }
}
