package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.waypoint.policy.Caller;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is known of one request, or of one connection without HTTP, for its metrics and its one line of
/// log. Confined to its loop.
public final class RequestRecord {
    private static final Logger LOG = LoggerFactory.getLogger("access");
    private static final int SHOWN = 256;

    private final RequestMetrics metrics;
    private final Caller caller;
    private final @Nullable Workload client;
    private final @Nullable Service service;
    private final long startNanos = System.nanoTime();

    private String protocol = "http";
    private String method = "-";
    private String path = "-";
    private String route = "-";
    private String flags = "-";
    private String details = "-";
    private String policy = "";
    private String grpcStatus = "";
    private int status;
    private int tries;
    private long received;
    private long sent;
    private @Nullable Workload destination;
    private boolean ended;

    public RequestRecord(RequestMetrics metrics, Caller caller, @Nullable Workload client, @Nullable Service service) {
        this.metrics = metrics;
        this.caller = caller;
        this.client = client;
        this.service = service;
    }

    public void request(String newMethod, String newPath, boolean grpc) {
        method = newMethod;
        path = newPath;
        protocol = grpc ? "grpc" : "http";
    }

    public void tcp() {
        protocol = "tcp";
    }

    public void route(String name) {
        route = name;
    }

    public void tried(Workload endpoint) {
        destination = endpoint;
        tries++;
    }

    public void answered(int code) {
        status = code;
    }

    public void grpcStatus(String code) {
        grpcStatus = code;
    }

    /// @param name of the policies that decided; empty if none did
    public void denied(String name) {
        policy = name;
        metrics.denied(name);
    }

    public void flag(String newFlags, String newDetails) {
        flags = newFlags;
        details = newDetails;
    }

    public void received(int bytes) {
        received += bytes;
    }

    public void sent(int bytes) {
        sent += bytes;
    }

    /// At the end; again has no effect.
    public void end() {
        if (ended) {
            return;
        }
        ended = true;
        var took = Duration.ofNanos(System.nanoTime() - startNanos);
        metrics.ended(
                new RequestMetrics.Key(
                        client, caller.identity(), destination, service, protocol, status, grpcStatus, flags),
                took);
        var line = LOG.atInfo()
                .addKeyValue("src.addr", Addresses.text(caller.source()))
                .addKeyValue("src.identity", caller.identity().toString())
                .addKeyValue("dst.addr", Addresses.text(caller.dialled()))
                .addKeyValue("dst.service", service == null ? "-" : service.hostname())
                .addKeyValue("dst.workload", destination == null ? "-" : destination.name())
                .addKeyValue("protocol", protocol)
                .addKeyValue("method", method)
                .addKeyValue("path", path.length() > SHOWN ? path.substring(0, SHOWN) + "…" : path)
                .addKeyValue("route", route)
                .addKeyValue("status", status)
                .addKeyValue("flags", flags)
                .addKeyValue("details", details)
                .addKeyValue("tries", tries)
                .addKeyValue("bytes_received", received)
                .addKeyValue("bytes_sent", sent)
                .addKeyValue("duration", took.toMillis() + "ms");
        (policy.isEmpty() ? line : line.addKeyValue("policy", policy)).log("request complete");
    }
}
