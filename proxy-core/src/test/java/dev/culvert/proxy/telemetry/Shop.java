package dev.culvert.proxy.telemetry;

import dev.culvert.hbone.headers.Baggage;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The parties of Istio's published examples.
final class Shop {
    static final Workload CART = workload("cart-6d9f-x2l", "cart", "r1-a");
    static final Workload PRICES = workload("prices-7c4b-9qk", "prices", "r1-b");
    static final Service SERVICE = new Service(
            "prices",
            new NamespacedHostname("shop", "prices.shop.svc.cluster.local"),
            List.of(),
            List.of(),
            Map.of(80, 8080),
            List.of(),
            null,
            List.of(),
            LoadBalancing.STANDARD,
            Service.IpFamilies.AUTOMATIC,
            true,
            false);

    private Shop() {}

    private static Workload workload(String pod, String app, String zone) {
        return new Workload(
                "Kubernetes//Pod/shop/" + pod,
                new Workload.Place("", "Kubernetes", "node", new Locality("r1", zone, ""), false),
                new Workload.Names(pod, "shop", "cluster.local", app, app, "v1", pod, "pod"),
                List.of(),
                Workload.Tunnel.HBONE,
                List.of(),
                true,
                "",
                Map.of(),
                1);
    }

    static Traffic traffic(Traffic.Reporter reporter, @Nullable Workload source, boolean mutualTls) {
        var identity = source != null && mutualTls ? source.identity() : null;
        var service = reporter == Traffic.Reporter.SOURCE ? SERVICE : null;
        return new Traffic(
                reporter,
                new Traffic.Party(source, Baggage.NONE, identity),
                Traffic.Party.of(PRICES),
                service,
                mutualTls);
    }
}
