package dev.culvert.hbone.codec;

/// Error codes of HTTP/2 (RFC 9113 §7); the ordinal is the code on the wire.
public enum ErrorCode {
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
    INADEQUATE_SECURITY,
    HTTP_1_1_REQUIRED;

    private static final ErrorCode[] VALUES = values();

    @SuppressWarnings("EnumOrdinal")
    int code() {
        return ordinal();
    }

    /// Unknown codes are INTERNAL_ERROR (RFC 9113 §7).
    public static ErrorCode of(long code) {
        return code >= 0 && code < VALUES.length ? VALUES[(int) code] : INTERNAL_ERROR;
    }
}
