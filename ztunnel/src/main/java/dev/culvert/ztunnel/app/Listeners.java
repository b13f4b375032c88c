package dev.culvert.ztunnel.app;

import dev.culvert.ztunnel.dns.DnsShared;
import dev.culvert.ztunnel.socks5.Socks5Metrics;
import org.jspecify.annotations.Nullable;

/// What is listened on in each pod.
/// @param proxy connections; false leaves the DNS proxy alone
/// @param dns null without a DNS proxy
/// @param socks5 for applications that speak it, or null
public record Listeners(
        boolean proxy, @Nullable DnsShared dns, @Nullable Socks5Metrics socks5) {
    /// Connections only.
    public static final Listeners CONNECTIONS = new Listeners(true, null, null);
}
