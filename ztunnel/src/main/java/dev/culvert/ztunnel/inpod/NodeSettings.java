package dev.culvert.ztunnel.inpod;

import dev.culvert.hbone.codec.H2Limits;
import java.time.Duration;

/// @param nodeName "" matches workloads of any node
/// @param network our own network
/// @param localhostAppTunnel whether application tunnels with a PROXY header end at the pod's loopback
/// @param policyAtInfo whether what policies say is logged at INFO
/// @param workloadWait how long a connection waits for xDS to tell of its pod
/// @param handshake bound of a TLS handshake with a downstream
/// @param tunnelIdle how long a downstream may keep a tunnel without a stream
public record NodeSettings(
        String nodeName,
        String network,
        boolean spoofSource,
        boolean responseBaggage,
        boolean localhostAppTunnel,
        boolean policyAtInfo,
        Duration workloadWait,
        Duration handshake,
        Duration tunnelIdle,
        H2Limits h2) {
    public NodeSettings spoofing(boolean possible) {
        return new NodeSettings(
                nodeName,
                network,
                possible,
                responseBaggage,
                localhostAppTunnel,
                policyAtInfo,
                workloadWait,
                handshake,
                tunnelIdle,
                h2);
    }
}
