package dev.culvert.hbone.codec;

/// The peer broke HTTP/2 or went over a limit; the connection ends with the code in GOAWAY.
final class H2Exception extends Exception {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final PeerLimit limit;

    H2Exception(ErrorCode code, String message) {
        this(PeerLimit.PROTOCOL, code, message);
    }

    H2Exception(PeerLimit limit, ErrorCode code, String message) {
        super(message, null, false, false);
        this.limit = limit;
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }

    PeerLimit limit() {
        return limit;
    }
}
