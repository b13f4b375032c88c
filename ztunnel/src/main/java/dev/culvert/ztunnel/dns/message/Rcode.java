package dev.culvert.ztunnel.dns.message;

/// The response codes that are used here (RFC 1035 §4.1.1).
public enum Rcode {
    NOERROR(0),
    FORMERR(1),
    SERVFAIL(2),
    NXDOMAIN(3),
    NOTIMP(4),
    REFUSED(5);

    final int code;

    Rcode(int code) {
        this.code = code;
    }

    /// `NXDOMAIN`, or `rcode 9` for what has no name here.
    static String text(int code) {
        for (var rcode : values()) {
            if (rcode.code == code) {
                return rcode.name();
            }
        }
        return "rcode " + code;
    }
}
