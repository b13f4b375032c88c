package dev.culvert.ztunnel.app;

import dev.culvert.ztunnel.dns.DnsShared;
import org.jspecify.annotations.Nullable;

/// What is listened on in each pod.
/// @param proxy connections; false leaves the DNS proxy alone
/// @param dns null without a DNS proxy
/// @param socks5 for applications that speak it
public record Listeners(boolean proxy, @Nullable DnsShared dns, boolean socks5) {
    /// Connections only.
    public static final Listeners CONNECTIONS = new Listeners(true, null, false);
}
