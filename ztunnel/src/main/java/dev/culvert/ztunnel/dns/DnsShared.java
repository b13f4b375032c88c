package dev.culvert.ztunnel.dns;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// What the DNS proxies of all pods share. Thread-safe.
public final class DnsShared {
    private final DnsSettings settings;
    private final DnsMetrics metrics;
    private final List<InetSocketAddress> servers;
    private final AtomicInteger pending = new AtomicInteger();
    private volatile int lastGood;

    public DnsShared(DnsSettings settings, DnsMetrics metrics) {
        this(settings, metrics, ResolvConf.read(settings.resolvConf()).without(settings.listen()));
    }

    /// @param servers that know what the mesh does not
    public DnsShared(DnsSettings settings, DnsMetrics metrics, List<InetSocketAddress> servers) {
        this.settings = settings;
        this.metrics = metrics;
        this.servers = List.copyOf(servers);
    }

    DnsSettings settings() {
        return settings;
    }

    DnsMetrics metrics() {
        return metrics;
    }

    AtomicInteger pending() {
        return pending;
    }

    /// In the order in which to ask them: first the one that answered last.
    List<InetSocketAddress> servers() {
        var first = lastGood;
        var order = new ArrayList<InetSocketAddress>(servers.size());
        for (var i = 0; i < servers.size(); i++) {
            order.add(servers.get((first + i) % servers.size()));
        }
        return order;
    }

    void answered(InetSocketAddress server) {
        var index = servers.indexOf(server);
        if (index != lastGood && index >= 0) {
            lastGood = index;
        }
    }
}
