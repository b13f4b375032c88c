package dev.culvert.ztunnel.inpod;

import dev.culvert.hbone.codec.H2Limits;
import java.time.Duration;

/// @param nodeName "" matches workloads of any node
/// @param network our own network
/// @param workloadWait how long a connection waits for xDS to tell of its pod
/// @param handshake bound of a TLS handshake with a downstream
public record NodeSettings(
        String nodeName,
        String network,
        boolean spoofSource,
        boolean responseBaggage,
        Duration workloadWait,
        Duration handshake,
        H2Limits h2) {
    public NodeSettings spoofing(boolean possible) {
        return new NodeSettings(nodeName, network, possible, responseBaggage, workloadWait, handshake, h2);
    }
}
