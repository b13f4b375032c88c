package dev.culvert.ztunnel.app;

import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.linux.fd.OpenFilesLimit;
import dev.culvert.proxy.ca.CertificateMetrics;
import dev.culvert.proxy.telemetry.ConnectionFamilies;
import dev.culvert.proxy.xds.XdsMetrics;
import dev.culvert.ztunnel.dns.DnsMetrics;
import dev.culvert.ztunnel.inpod.PodTable;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.socks5.Socks5Metrics;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The metrics of the process itself, and all families that ztunnel shows.
final class ProcessMetrics {
    private static final List<MetricFamily> OWN = List.of(
            MetricFamily.gauge("istio_build", "What runs here; always 1", "component", "tag"),
            MetricFamily.gauge("workload_manager_active_proxy_count", "Pods that are served"),
            MetricFamily.gauge("workload_manager_pending_proxy_count", "Pods that cannot be served yet"),
            MetricFamily.counter("workload_manager_proxies_started_total", "Pods whose service began"),
            MetricFamily.counter("workload_manager_proxies_stopped_total", "Pods whose service ended"),
            MetricFamily.gauge("process_open_fds", "File descriptors that are open"),
            MetricFamily.gauge("process_max_fds", "File descriptors that may be open"),
            MetricFamily.gauge("culvert_threads", "Threads of the process"),
            MetricFamily.gauge("culvert_heap_used_bytes", "Java heap in use, garbage included"),
            MetricFamily.gauge(
                    "culvert_heap_live_bytes", "Java heap in use after the last full collection; 0 before it"),
            MetricFamily.gauge("culvert_direct_memory_bytes", "Memory of buffers outside the heap, free ones included"),
            MetricFamily.gauge("culvert_direct_memory_used_bytes", "Memory of pooled buffers that somebody holds now"),
            MetricFamily.gauge("tokio_num_workers", "Event loops; the name is Istio's"),
            MetricFamily.gauge("tokio_global_queue_depth", "Tasks that wait for an event loop; the name is Istio's"));

    private static final MetricFamily REVOKED = MetricFamily.counter(
            "istio_crl_policy_rejections_total",
            "Connections refused or ended because a certificate is revoked",
            "reporter");

    private static final MetricFamily LIMITS = MetricFamily.counter(
            "culvert_hbone_limits_total",
            "Times that a peer reached a limit of an HBONE connection ([limits.md](limits.md))",
            "limit");

    private ProcessMetrics() {}

    /// In the order of the page.
    static List<MetricFamily> families() {
        var all = new ArrayList<>(OWN);
        all.addAll(XdsMetrics.FAMILIES);
        all.addAll(ConnectionFamilies.ALL);
        all.add(REVOKED);
        all.add(LIMITS);
        all.addAll(CertificateMetrics.FAMILIES);
        all.addAll(DnsMetrics.FAMILIES);
        all.add(Socks5Metrics.REFUSED);
        return all;
    }

    static void register(MeterRegistry registry, PodTable pods, List<Worker> workers) {
        Gauge.builder("istio_build", () -> 1)
                .tag("component", "ztunnel")
                .tag("tag", Version.number())
                .register(registry);
        registry.gauge(
                "workload_manager_active_proxy_count",
                pods,
                table -> table.running().size());
        registry.gauge(
                "workload_manager_pending_proxy_count",
                pods,
                table -> table.waiting().size());
        registry.more().counter("workload_manager_proxies_started", List.of(), pods, PodTable::startedTotal);
        registry.more().counter("workload_manager_proxies_stopped", List.of(), pods, PodTable::stoppedTotal);
        Gauge.builder("process_open_fds", ProcessMetrics::openFiles).register(registry);
        Gauge.builder("process_max_fds", ProcessMetrics::maxFiles).register(registry);
        registerLimits(registry, workers);
        Gauge.builder("culvert_threads", ProcessMetrics::threads).register(registry);
        MemoryMetrics.register(registry);
        registry.gauge("tokio_num_workers", workers, List::size);
        registry.gauge("tokio_global_queue_depth", workers, ProcessMetrics::waitingTasks);
    }

    static void register(MeterRegistry registry, Revocation revocation) {
        registry.more().counter(REVOKED.name(), Tags.of("reporter", "source"), revocation, Revocation::refusedServers);
        registry.more()
                .counter(REVOKED.name(), Tags.of("reporter", "destination"), revocation, Revocation::refusedClients);
    }

    private static void registerLimits(MeterRegistry registry, List<Worker> workers) {
        for (var limit : PeerLimit.values()) {
            registry.more()
                    .counter(
                            LIMITS.name(),
                            Tags.of("limit", limit.label()),
                            workers,
                            all -> all.stream()
                                    .mapToLong(worker -> worker.loopLimits().count(limit))
                                    .sum());
        }
    }

    private static long waitingTasks(List<Worker> workers) {
        return workers.stream()
                .map(Worker::loop)
                .filter(SingleThreadEventExecutor.class::isInstance)
                .mapToLong(loop -> ((SingleThreadEventExecutor) loop).pendingTasks())
                .sum();
    }

    private static double openFiles() {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count() - 1;
        } catch (IOException _) {
            return Double.NaN;
        }
    }

    private static double threads() {
        try (var threads = Files.list(Path.of("/proc/self/task"))) {
            return threads.count();
        } catch (IOException _) {
            return Double.NaN;
        }
    }

    private static double maxFiles() {
        try {
            return OpenFilesLimit.current().soft();
        } catch (IOException _) {
            return Double.NaN;
        }
    }
}
