package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonProcessingException;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

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
                .any("/config_dump", _ -> Response.json(dump(config)))
                .post("/logging", logging)
                .post("/quitquitquit", _ -> {
                    lifecycle.stop("/quitquitquit");
                    return Response.text(200, "shutdown now\n");
                })
                .get("/culvert/explain", request -> explain.answer(request))
                .get("/culvert/holes", _ -> Response.json(holesJson()));
    }

    private String dump(ZtunnelConfig config) throws JsonProcessingException {
        var views = new ArrayList<ConfigDump.PodView>();
        pods.running()
                .forEach(proxy -> views.add(new ConfigDump.PodView(proxy.pod().id(), true)));
        pods.waiting().forEach(id -> views.add(new ConfigDump.PodView(id, false)));
        var settings = new LinkedHashMap<String, String>();
        config.settings().forEach(setting -> settings.put(setting.name(), setting.value()));
        var version = new LinkedHashMap<String, String>();
        version.put("version", Version.text());
        return new ConfigDump()
                .mesh(mesh.current())
                .certificates(certificates.statuses())
                .pods(views, live.get())
                .config(settings, version)
                .text();
    }

    private String holesJson() throws IOException {
        var json = new ObjectMapper();
        var all = json.createArrayNode();
        for (var hole : onPlatformThread()) {
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
    private List<Holes.Hole> onPlatformThread() throws IOException {
        var result = new CompletableFuture<List<Holes.Hole>>();
        Thread.ofPlatform().daemon().name("holes-page").start(() -> {
            try {
                result.complete(holes.find());
            } catch (IOException | RuntimeException e) {
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
