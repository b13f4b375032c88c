package dev.culvert.hbone.failure;

/// Every way in which a connection can fail. It is the metric label and access-log flag (Istio's words), the status
/// on the wire, whether another endpoint may be tried, and a row of `docs/failures.md`.
public enum FailureReason {
    POLICY_DENIED(Fault.DOWNSTREAM, "DENY", 401, false, "A policy of the destination does not allow the connection."),
    POLICY_CHANGED(
            Fault.DOWNSTREAM,
            "DENY",
            401,
            false,
            "A policy, workload or trust change no longer allows a connection that was open."),
    CERT_REVOKED(
            Fault.DOWNSTREAM,
            "CERT_REVOKED",
            401,
            false,
            "A certificate of the other side's chain has been revoked since the connection was opened."),
    BAD_REQUEST(Fault.DOWNSTREAM, "CONNECT", 400, false, "The CONNECT cannot be understood."),
    IP_MISMATCH(
            Fault.DOWNSTREAM,
            "CONNECT",
            400,
            false,
            "The authority names another address than the one the connection came to."),
    DOWNSTREAM_TLS(Fault.DOWNSTREAM, "TLS_FAILURE", 400, false, "The downstream's TLS handshake failed."),
    DOWNSTREAM_RESET(Fault.DOWNSTREAM, "-", 400, false, "The application that opened the connection broke it."),
    LOOP(Fault.DOWNSTREAM, "CONNECT", 503, false, "The destination is one of the proxy's own ports."),
    UNKNOWN_WORKLOAD(Fault.CONTROL_PLANE, "CONNECT", 503, false, "The control plane has not told of the pod yet."),
    NO_CERTIFICATE(Fault.CONTROL_PLANE, "IDENTITY_ERROR", 503, false, "No certificate for the local workload."),
    NO_HEALTHY_UPSTREAM(Fault.UPSTREAM, "CONNECT", 503, false, "The service has no endpoint that may be chosen."),
    UNSUPPORTED(Fault.INTERNAL, "CONNECT", 503, false, "What the destination needs is not supported yet."),
    UPSTREAM_CONNECT(Fault.UPSTREAM, "CONNECT", 503, true, "The upstream refused, reset or could not be reached."),
    UPSTREAM_TIMEOUT(Fault.UPSTREAM, "NETWORK_POLICY", 503, true, "Nobody answered on the HBONE port."),
    UPSTREAM_TLS(Fault.UPSTREAM, "CONNECT", 503, true, "The TLS handshake with the upstream failed."),
    PEER_NOT_TRUSTED(
            Fault.UPSTREAM, "CONNECT", 503, false, "The upstream has another identity than the expected ones."),
    UPSTREAM_STATUS(
            Fault.UPSTREAM, "CONNECT", 503, false, "The upstream answered CONNECT with a status other than 200."),
    UPSTREAM_UNAVAILABLE(
            Fault.UPSTREAM, "CONNECT", 503, true, "The upstream answered CONNECT with 503: nothing was delivered."),
    UPSTREAM_REFUSED(
            Fault.UPSTREAM,
            "H2_HANDSHAKE_FAILURE",
            503,
            true,
            "The upstream did not look at the stream: REFUSED_STREAM, or GOAWAY below it."),
    UPSTREAM_H2(Fault.UPSTREAM, "H2_HANDSHAKE_FAILURE", 503, false, "HTTP/2 failed before the answer."),
    UPSTREAM_RESET(Fault.UPSTREAM, "CONNECT", 503, false, "An open connection broke on the upstream's side."),
    DRAINED(Fault.INTERNAL, "-", 503, false, "The proxy is stopping."),
    LIMIT(Fault.INTERNAL, "CONNECT", 503, false, "A limit of the proxy was reached."),
    BUG(Fault.INTERNAL, "CONNECT", 500, false, "A mistake of ours.");

    /// Who has to act.
    public enum Fault {
        DOWNSTREAM,
        UPSTREAM,
        CONTROL_PLANE,
        INTERNAL
    }

    private final Fault fault;
    private final String flag;
    private final int status;
    private final boolean retryable;
    private final String meaning;

    FailureReason(Fault fault, String flag, int status, boolean retryable, String meaning) {
        this.fault = fault;
        this.flag = flag;
        this.status = status;
        this.retryable = retryable;
        this.meaning = meaning;
    }

    public Fault fault() {
        return fault;
    }

    /// Istio's `response_flags`.
    public String flag() {
        return flag;
    }

    /// HTTP status of the refused CONNECT.
    public int status() {
        return status;
    }

    /// Whether another endpoint of a Service may be tried, before anything was accepted.
    public boolean retryable() {
        return retryable;
    }

    /// One sentence for the documents.
    public String meaning() {
        return meaning;
    }
}
