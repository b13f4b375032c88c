package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.workload.AppProtocol;
import dev.culvert.protos.workload.IPFamilies;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.LoadBalancing.Scope;
import dev.culvert.protos.workload.NetworkAddress;
import dev.culvert.protos.workload.Port;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Turns a Service into `istio.workload.Service`.
public final class ServiceTranslation {
    public static final String DISTRIBUTION = "networking.istio.io/traffic-distribution";

    private ServiceTranslation() {}

    public static String hostname(Service service, TranslationSettings settings) {
        return service.name() + "." + service.namespace() + ".svc." + settings.clusterDomain();
    }

    /// The resource name.
    public static String key(Service service, TranslationSettings settings) {
        return service.namespace() + "/" + hostname(service, settings);
    }

    /// Without its waypoint.
    static dev.culvert.protos.workload.Service.Builder translate(
            Service service, ObjectSet objects, TranslationSettings settings) {
        var to = dev.culvert.protos.workload.Service.newBuilder()
                .setName(service.name())
                .setNamespace(service.namespace())
                .setHostname(hostname(service, settings))
                .setIpFamilies(families(service))
                .setCanonical(true);
        service.addresses().forEach(address -> to.addAddresses(networkAddress(address, settings)));
        service.ports().forEach(port -> to.addPorts(port(port)));
        loadBalancing(service, objects).ifPresent(to::setLoadBalancing);
        return to;
    }

    private static NetworkAddress networkAddress(InetAddress address, TranslationSettings settings) {
        return NetworkAddress.newBuilder()
                .setNetwork(settings.network())
                .setAddress(ByteString.copyFrom(address.getAddress()))
                .build();
    }

    private static Port port(Service.Port port) {
        return Port.newBuilder()
                .setServicePort(port.number())
                .setTargetPort(
                        switch (port.target()) {
                            case PortRef.Numbered(var number) -> number;
                            case PortRef.Named _ -> 0; // each workload says its own
                        })
                .setAppProtocol(appProtocol(port))
                .build();
    }

    public static AppProtocol appProtocol(Service.Port port) {
        var dash = port.name().indexOf('-');
        var prefix = dash < 0 ? port.name() : port.name().substring(0, dash);
        return appProtocol(port.appProtocol().isEmpty() ? prefix : port.appProtocol());
    }

    static AppProtocol appProtocol(String said) {
        return switch (said.toLowerCase(Locale.ROOT)) {
            case "http" -> AppProtocol.HTTP11;
            case "http2", "kubernetes.io/h2c" -> AppProtocol.HTTP2;
            case "grpc" -> AppProtocol.GRPC;
            case "tcp" -> AppProtocol.TCP;
            case "tls", "https" -> AppProtocol.TLS;
            default -> AppProtocol.UNKNOWN;
        };
    }

    private static IPFamilies families(Service service) {
        if (service.ipFamilies().size() > 1) {
            return IPFamilies.DUAL;
        }
        return service.ipFamilies().stream()
                .findFirst()
                .map(family -> family.equals("IPv6") ? IPFamilies.IPV6_ONLY : IPFamilies.IPV4_ONLY)
                .orElse(IPFamilies.AUTOMATIC);
    }

    private static Optional<LoadBalancing> loadBalancing(Service service, ObjectSet objects) {
        var to = LoadBalancing.newBuilder();
        if (service.localTrafficOnly()) {
            to.setMode(LoadBalancing.Mode.STRICT).addRoutingPreference(Scope.NODE);
        } else {
            failover(distribution(service, objects)).ifPresent(to::mergeFrom);
        }
        if (service.publishNotReady()) {
            to.setHealthPolicy(LoadBalancing.HealthPolicy.ALLOW_ALL);
        }
        var built = to.build();
        return built.equals(LoadBalancing.getDefaultInstance()) ? Optional.empty() : Optional.of(built);
    }

    /// The first place that says one counts, even if what it says is unknown.
    private static String distribution(Service service, ObjectSet objects) {
        return service.trafficDistribution().isEmpty()
                ? distribution(service.metadata(), objects)
                : service.trafficDistribution();
    }

    private static String distribution(Metadata metadata, ObjectSet objects) {
        return metadata.annotation(DISTRIBUTION)
                .or(() -> objects.namespace(metadata.namespace())
                        .flatMap(namespace -> namespace.metadata().annotation(DISTRIBUTION)))
                .orElse("");
    }

    /// What an object's annotation, or its namespace's, asks for.
    static Optional<LoadBalancing> failover(Metadata metadata, ObjectSet objects) {
        return failover(distribution(metadata, objects));
    }

    private static Optional<LoadBalancing> failover(String distribution) {
        var preference = preference(distribution);
        return preference.isEmpty()
                ? Optional.empty()
                : Optional.of(LoadBalancing.newBuilder()
                        .setMode(LoadBalancing.Mode.FAILOVER)
                        .addAllRoutingPreference(preference)
                        .build());
    }

    private static List<Scope> preference(String distribution) {
        return switch (distribution.toLowerCase(Locale.ROOT)) {
            case "prefersamezone", "preferclose" -> List.of(Scope.NETWORK, Scope.REGION, Scope.ZONE);
            case "prefersamenode" -> List.of(Scope.NETWORK, Scope.REGION, Scope.ZONE, Scope.SUBZONE, Scope.NODE);
            default -> List.of();
        };
    }
}
