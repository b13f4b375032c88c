package dev.culvert.hbone.tls;

import java.util.List;

/// Which versions and key exchanges of TLS are used.
/// @param tls12 TLS 1.2 beside 1.3, with the ECDHE and AES-GCM suites only
/// @param groups of the key exchange, best first, in the names of BoringSSL
public record TlsPolicy(boolean tls12, List<String> groups) {
    /// The hybrid of X25519 and ML-KEM-768.
    public static final String HYBRID = "X25519MLKEM768";

    public static final TlsPolicy DEFAULT = new TlsPolicy(false, List.of(HYBRID, "X25519", "P-256", "P-384"));

    public TlsPolicy {
        groups = List.copyOf(groups);
    }
}
