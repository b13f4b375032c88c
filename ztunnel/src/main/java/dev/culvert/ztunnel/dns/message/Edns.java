package dev.culvert.ztunnel.dns.message;

/// What the asker's OPT record says (RFC 6891 §6.1).
/// @param payload bytes of UDP that the asker takes; at least 512
public record Edns(int version, int payload) {
    public Edns {
        payload = Math.max(512, payload);
    }
}
