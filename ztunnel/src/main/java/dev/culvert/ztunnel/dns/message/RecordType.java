package dev.culvert.ztunnel.dns.message;

import java.util.Map;

/// Record types (IANA DNS parameters).
public final class RecordType {
    public static final int A = 1;
    public static final int AAAA = 28;
    static final int CNAME = 5;
    static final int OPT = 41;
    /// Class IN.
    public static final int IN = 1;

    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(A, "A"),
            Map.entry(2, "NS"),
            Map.entry(CNAME, "CNAME"),
            Map.entry(6, "SOA"),
            Map.entry(12, "PTR"),
            Map.entry(13, "HINFO"),
            Map.entry(15, "MX"),
            Map.entry(16, "TXT"),
            Map.entry(AAAA, "AAAA"),
            Map.entry(33, "SRV"),
            Map.entry(35, "NAPTR"),
            Map.entry(43, "DS"),
            Map.entry(46, "RRSIG"),
            Map.entry(48, "DNSKEY"),
            Map.entry(52, "TLSA"),
            Map.entry(64, "SVCB"),
            Map.entry(65, "HTTPS"),
            Map.entry(251, "IXFR"),
            Map.entry(252, "AXFR"),
            Map.entry(255, "ANY"),
            Map.entry(257, "CAA"));

    private RecordType() {}

    /// Its name; `UNKNOWN` for all that have none here, so that nobody can make labels without end.
    public static String text(int type) {
        return NAMES.getOrDefault(type, "UNKNOWN");
    }
}
