package dev.culvert.istiod.ingress;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A listener, and what can be done of it.
/// @param conflicted holds if another listener is in its way
/// @param certificates where TLS is ended here; those that could be had
/// @param clients who signs clients' certificates; empty if clients are not asked for one
/// @param kinds of routes that may be attached
public record EdgeListener(
        Gateway.Listener said,
        Verdict accepted,
        Verdict conflicted,
        Verdict resolved,
        List<ServerKey> certificates,
        Optional<List<X509Certificate>> clients,
        Set<Kind> kinds) {
    public EdgeListener {
        clients = clients.map(List::copyOf);
        certificates = List.copyOf(certificates);
        kinds = Set.copyOf(kinds);
    }

    /// Whether routes can be attached, and connections come in.
    public boolean isOpen() {
        return accepted.holds() && !conflicted.holds();
    }

    public boolean isTls() {
        return said.protocol().equals("HTTPS") || said.protocol().equals("TLS");
    }

    /// Whether connections are passed on and never looked at.
    public boolean isTcp() {
        return said.protocol().equals("TCP");
    }

    /// Whether TLS is ended by somebody behind us.
    public boolean isPassthrough() {
        return said.tls().filter(tls -> tls.mode().equals("Passthrough")).isPresent();
    }

    /// Whether requests can be served.
    public Verdict programmed() {
        if (!isOpen()) {
            return Verdict.no("Invalid", "nothing is listened to for it");
        }
        return isTls() && !isPassthrough() && certificates.isEmpty()
                ? Verdict.no("Invalid", "it has no certificate: nobody gets in")
                : Verdict.yes("Programmed");
    }
}
