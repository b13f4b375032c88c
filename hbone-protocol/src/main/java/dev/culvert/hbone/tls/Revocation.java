package dev.culvert.hbone.tls;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/// The revocation lists in force, replaced as a whole, and how often they refused. Thread-safe; one writer.
public final class Revocation {
    private volatile RevocationLists lists = RevocationLists.NONE;
    private final LongAdder refusedServers = new LongAdder();
    private final LongAdder refusedClients = new LongAdder();

    public void replace(RevocationLists now) {
        lists = now;
    }

    /// The first revoked certificate of a peer's chain.
    /// @param roots the local workload's
    Optional<X509Certificate> revokedOf(List<X509Certificate> chain, List<X509Certificate> roots) {
        return lists.revokedOf(chain, roots);
    }

    /// A handshake was refused, or a connection ended.
    /// @param server whether the peer is the one that was called
    void count(boolean server) {
        (server ? refusedServers : refusedClients).increment();
    }

    public long refusedServers() {
        return refusedServers.sum();
    }

    public long refusedClients() {
        return refusedClients.sum();
    }
}
