package dev.culvert.istiod.grpc;

import com.google.protobuf.Any;
import dev.culvert.protos.envoy.AggregatedConfigSource;
import dev.culvert.protos.envoy.ApiListener;
import dev.culvert.protos.envoy.ApiVersion;
import dev.culvert.protos.envoy.ConfigSource;
import dev.culvert.protos.envoy.HTTPFault;
import dev.culvert.protos.envoy.HttpConnectionManager;
import dev.culvert.protos.envoy.HttpFilter;
import dev.culvert.protos.envoy.Listener;
import dev.culvert.protos.envoy.Rds;
import dev.culvert.protos.envoy.Router;

/// What a client gets for the name that it dials: where its routes are, and that calls may be made to fail on
/// purpose.
final class Listeners {
    /// The stream on which everything comes.
    static final ConfigSource ADS = ConfigSource.newBuilder()
            .setAds(AggregatedConfigSource.getDefaultInstance())
            .setResourceApiVersion(ApiVersion.V3)
            .build();

    static final String FAULT = "envoy.filters.http.fault";
    private static final HttpFilter FAULTS = HttpFilter.newBuilder()
            .setName(FAULT)
            .setTypedConfig(Any.pack(HTTPFault.getDefaultInstance()))
            .build();
    static final HttpFilter ROUTER = HttpFilter.newBuilder()
            .setName("envoy.filters.http.router")
            .setTypedConfig(Any.pack(Router.getDefaultInstance()))
            .build();

    private Listeners() {}

    static Listener of(String dialled, ClusterName routes) {
        var manager = HttpConnectionManager.newBuilder()
                .setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName(routes.toString()))
                .addHttpFilters(FAULTS)
                .addHttpFilters(ROUTER)
                .build();
        return Listener.newBuilder()
                .setName(dialled)
                .setApiListener(ApiListener.newBuilder().setApiListener(Any.pack(manager)))
                .build();
    }
}
