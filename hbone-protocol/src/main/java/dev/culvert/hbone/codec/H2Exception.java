package dev.culvert.hbone.codec;

/// The peer broke HTTP/2; the connection ends with the code in GOAWAY.
final class H2Exception extends Exception {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    H2Exception(ErrorCode code, String message) {
        super(message, null, false, false);
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }
}
