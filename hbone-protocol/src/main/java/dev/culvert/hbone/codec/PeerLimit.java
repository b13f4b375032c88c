package dev.culvert.hbone.codec;

import java.util.Locale;

/// What a peer may do to us, and what follows when it does more. Each is a label of `culvert_hbone_limits_total` and a
/// row of `docs/limits.md`.
public enum PeerLimit {
    HANDSHAKES("1,000 connections to a pod without a finished TLS handshake", "the next one is closed"),
    HANDSHAKE("`CULVERT_HANDSHAKE_TIMEOUT` for a TLS handshake, 10 s", "closed"),
    CERTIFICATE_WAIT("twice that until there is a certificate for the pod itself", "closed"),
    IDLE("`CULVERT_TUNNEL_IDLE` without a stream, 15 min; our own side gives up sooner", "GOAWAY, closed"),
    PING("20 s to answer a PING; one every 10 s", "closed"),
    ANSWER("`CULVERT_CONNECT_ANSWER_TIMEOUT` to answer a CONNECT, 20 s", "CANCEL of the stream"),
    CONNECTIONS("500 connections in the pool of a loop, unless one has no streams", "the CONNECT fails"),
    STREAMS("200 open streams a connection", "REFUSED_STREAM"),
    FRAME_SIZE("a frame of `HTTP2_FRAME_SIZE` bytes, 1 MiB", "FRAME_SIZE_ERROR"),
    HEADER_BYTES("64 KiB of headers, before and after HPACK", "ENHANCE_YOUR_CALM or PROTOCOL_ERROR"),
    CONTINUATIONS("16 CONTINUATION frames a header block", "PROTOCOL_ERROR"),
    CREDIT(
            "the bytes it has credit for: 256 KiB a stream, 1 MiB a connection",
            "FLOW_CONTROL_ERROR of the stream or the connection"),
    FRAMES_WITHOUT_USE(
            "2,000 frames without use at once, 1,000 a second after that: PING, SETTINGS, RST_STREAM, PRIORITY, unknown"
                    + " ones, empty DATA, WINDOW_UPDATEs that bought less than 1 KiB, malformed headers, what makes us"
                    + " reset or refuse a stream",
            "ENHANCE_YOUR_CALM"),
    RECEIVED_BYTES(
            "`CULVERT_RECEIVE_BUDGET` received and not delivered, all connections of a loop together, 32 MiB",
            "a connection's credit comes back only on delivery"),
    PROTOCOL("nothing else that RFC 9113 forbids", "the code that the RFC names");

    private final String allowed;
    private final String consequence;

    PeerLimit(String allowed, String consequence) {
        this.allowed = allowed;
        this.consequence = consequence;
    }

    /// What a peer may do.
    public String allowed() {
        return allowed;
    }

    /// What happens to it when it does more.
    public String consequence() {
        return consequence;
    }

    /// The metric's label.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
