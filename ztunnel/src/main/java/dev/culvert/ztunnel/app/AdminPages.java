package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.Page;
import dev.culvert.daemon.admin.Response;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.ztunnel.inpod.PodTable;
import dev.culvert.ztunnel.relay.LiveConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The pages of the admin port.
final class AdminPages {
    private static final String INDEX = """
            <html><head><title>ztunnel</title></head><body><h1>ztunnel</h1><ul>
            <li><a href="config_dump">config_dump</a> what this process knows</li>
            <li>logging (POST) show or change log levels</li>
            <li>quitquitquit (POST) drain and stop</li>
            <li>culvert/explain?from=ns/pod&amp;to=host:port why a connection would be allowed or refused</li>
            <li><a href="culvert/holes">culvert/holes</a> open connections that are not captured</li>
            </ul></body></html>
            """;

    private static final String NO_PROFILE =
            "not implemented: this ztunnel runs on Java; use jcmd <pid> JFR.start, or jcmd <pid> GC.class_histogram\n";

    private final MeshState mesh;
    private final CertificateStore certificates;
    private final PodTable pods;
    private final Holes holes;
    private final Supplier<List<LiveConnection.Description>> live;

    AdminPages(
            MeshState mesh,
            CertificateStore certificates,
            PodTable pods,
            Holes holes,
            Supplier<List<LiveConnection.Description>> live) {
        this.mesh = mesh;
        this.certificates = certificates;
        this.pods = pods;
        this.holes = holes;
        this.live = live;
    }

    HttpPages.Builder pages(ZtunnelConfig config, Page logging, Lifecycle lifecycle) {
        var explain = new Explain(mesh);
        return HttpPages.builder()
                .any("/", _ -> Response.of(200, "text/html; charset=utf-8", INDEX))
                .any(
                        "/config_dump",
                        _ -> Response.stream(
                                "application/json",
                                dump(
                                        DumpedSettings.of(config),
                                        config.upstreams().local())::writeTo))
                .post("/logging", logging)
                .post("/quitquitquit", _ -> {
                    lifecycle.stop("/quitquitquit");
                    return Response.text(200, "shutdown now\n");
                })
                .any("/debug/pprof/profile", _ -> Response.text(501, NO_PROFILE))
                .any("/debug/pprof/heap", _ -> Response.text(501, NO_PROFILE))
                .any("/debug/pprof/heap/profiling", _ -> Response.text(501, NO_PROFILE))
                .get("/culvert/explain", request -> explain.answer(request))
                .get("/culvert/holes", _ -> Response.json(json(onPlatformThread(holes::find))))
                .post("/culvert/holes/cut", request -> {
                    var pod = request.query().getOrDefault("pod", "");
                    return Response.json(json(onPlatformThread(() -> holes.cut(pod))));
                });
    }

    private ConfigDump dump(ConfigDump.Settings settings, LocalMesh.@Nullable Source local) throws IOException {
        var views = new ArrayList<ConfigDump.PodView>();
        pods.running()
                .forEach(proxy -> views.add(new ConfigDump.PodView(proxy.pod().id(), true)));
        pods.waiting().forEach(id -> views.add(new ConfigDump.PodView(id, false)));
        return new ConfigDump(
                mesh.current(),
                certificates.statuses(),
                views,
                live.get(),
                settings,
                local == null ? null : LocalMesh.read(local));
    }

    private static String json(List<Holes.Hole> holes) throws IOException {
        var json = new ObjectMapper();
        var all = json.createArrayNode();
        for (var hole : holes) {
            all.addObject()
                    .put("pod", hole.pod().id().toString())
                    .put("direction", hole.inbound() ? "inbound" : "outbound")
                    .put("local", Addresses.text(hole.local()))
                    .put("remote", Addresses.text(hole.remote()))
                    .put("since", hole.since().toString());
        }
        return json.writeValueAsString(all) + "\n";
    }

    /// Pages run on virtual threads, which must not enter a pod's namespace.
    private static List<Holes.Hole> onPlatformThread(Callable<List<Holes.Hole>> look) throws IOException {
        var result = new CompletableFuture<List<Holes.Hole>>();
        Thread.ofPlatform().daemon().name("holes-page").start(() -> {
            try {
                result.complete(look.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.join();
        } catch (CompletionException e) {
            throw new IOException("holes: " + e.getMessage(), e);
        }
    }
}
