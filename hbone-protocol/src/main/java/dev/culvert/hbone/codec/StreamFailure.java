package dev.culvert.hbone.codec;

/// Why a stream ended without END_STREAM.
/// @param retryable the peer has certainly not looked at the stream (RFC 9113 §8.7)
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
