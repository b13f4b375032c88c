package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.GatewayClass;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.WorkloadEntry;
import dev.culvert.protos.workload.GatewayAddress;
import dev.culvert.protos.workload.NamespacedHostname;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which waypoint an object has, by `istio.io/use-waypoint` on it or on its namespace and by what the Gateway takes.
/// A Gateway counts once its Service has an address.
public final class Waypoints {
    public static final String GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";
    public static final String GATEWAY_CLASS = "gateway.networking.k8s.io/gateway-class-name";
    /// The controller of our GatewayClasses: Istio leaves their Gateways and routes alone.
    public static final String CONTROLLER = "culvert.dev/mesh-controller";

    private static final String USE = "istio.io/use-waypoint";
    private static final String INGRESS = "istio.io/ingress-use-waypoint";
    private static final String USE_NAMESPACE = "istio.io/use-waypoint-namespace";
    private static final String FOR = "istio.io/waypoint-for";
    private static final String MANAGED = "gateway.istio.io/managed";
    /// Values of [#MANAGED] on Services of waypoints and gateways, which have no waypoint themselves.
    private static final Set<String> OWN =
            Set.of("istio.io-mesh-controller", "istio.io-eastwest-controller", "culvert.dev-mesh-controller");
    private static final List<String> TRAFFIC = List.of("service", "workload", "all", "none");
    private static final int HBONE_PORT = 15008;
    /// No object has a name with such characters.
    private static final String NOBODY = "culvert_no_waypoint";

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final Map<String, Waypoint> ready = new HashMap<>();

    /// A waypoint that can be reached.
    public record Waypoint(Gateway gateway, Service service) {
        public String key() {
            return gateway.namespace() + "/" + gateway.name();
        }
    }

    /// What an object asks for, and what it gets.
    /// @param wanted `namespace/name` of the Gateway that is named; empty if none is
    /// @param waypoint empty if none is named, or it cannot be had
    /// @param why the reason then, in Istio's word; else empty
    public record Binding(String wanted, Optional<Waypoint> waypoint, String why) {
        static final Binding NONE = new Binding("", Optional.empty(), "");
    }

    private enum Traffic {
        SERVICE,
        WORKLOAD
    }

    public Waypoints(ObjectSet objects, TranslationSettings settings) {
        this.objects = objects;
        this.settings = settings;
        for (var gateway : objects.all(Gateway.class)) {
            if (gateway.isWaypoint() && isOurs(gateway, objects)) {
                objects.find(Service.class, Kind.SERVICE, gateway.namespace(), gateway.name())
                        .filter(service -> isOf(service.metadata(), gateway.name()))
                        .filter(service -> !service.addresses().isEmpty())
                        .map(service -> new Waypoint(gateway, service))
                        .ifPresent(waypoint -> ready.put(waypoint.key(), waypoint));
            }
        }
    }

    /// A class that another controller serves is not ours; one that nobody made is.
    public static boolean isOurs(Gateway gateway, ObjectSet objects) {
        return objects.find(GatewayClass.class, Kind.GATEWAY_CLASS, "", gateway.className())
                .map(GatewayClass::controller)
                .filter(controller -> !controller.equals(CONTROLLER))
                .isEmpty();
    }

    private static boolean isOf(Metadata metadata, String gateway) {
        return metadata.label(GATEWAY_NAME).filter(gateway::equals).isPresent();
    }

    public Map<String, Waypoint> ready() {
        return ready;
    }

    /// The exact principal of a waypoint: its ServiceAccount has the Gateway's name.
    public String principal(Waypoint waypoint) {
        return settings.trustDomain() + "/ns/" + waypoint.gateway.namespace() + "/sa/" + waypoint.gateway.name();
    }

    GatewayAddress address(Waypoint waypoint) {
        return address(waypoint.service.namespace(), ServiceTranslation.hostname(waypoint.service, settings));
    }

    /// Of a waypoint that there can never be: node proxies refuse what has to go through it.
    GatewayAddress nobody(String namespace) {
        return address(namespace, NOBODY + "." + namespace + ".svc." + settings.clusterDomain());
    }

    private static GatewayAddress address(String namespace, String hostname) {
        return GatewayAddress.newBuilder()
                .setHostname(
                        NamespacedHostname.newBuilder().setNamespace(namespace).setHostname(hostname))
                .setHboneMtlsPort(HBONE_PORT)
                .build();
    }

    public Binding of(MeshService service) {
        return binding(service.object());
    }

    /// Of a Service or a ServiceEntry.
    public Binding binding(KubeObject called) {
        return switch (called) {
            case Service service -> of(service);
            case ServiceEntry entry -> of(entry);
            default -> Binding.NONE;
        };
    }

    public Binding of(Service service) {
        return service.metadata().label(MANAGED).filter(OWN::contains).isPresent()
                ? Binding.NONE
                : resolve(service, Traffic.SERVICE);
    }

    /// Whether gateways at the edge of the mesh ask its waypoint for it; without one they go to it themselves.
    public boolean takesIngress(MeshService service) {
        return of(service).waypoint().isPresent()
                && service.object()
                        .metadata()
                        .label(INGRESS)
                        .or(() -> objects.namespace(service.namespace())
                                .flatMap(namespace -> namespace.metadata().label(INGRESS)))
                        .filter("true"::equals)
                        .isPresent();
    }

    public Binding of(ServiceEntry entry) {
        return resolve(entry, Traffic.SERVICE);
    }

    Binding of(WorkloadEntry entry) {
        return resolve(entry, Traffic.WORKLOAD);
    }

    /// @param labels of the endpoint, which alone say its waypoint
    Binding ofEndpoint(ServiceEntry entry, Map<String, String> labels) {
        return resolve(entry, labels, Traffic.WORKLOAD);
    }

    public Binding of(Pod pod) {
        var gateway = pod.metadata().label(GATEWAY_NAME);
        var own = gateway.isPresent()
                && objects.find(Gateway.class, Kind.GATEWAY, pod.namespace(), gateway.get())
                        .isPresent();
        return own ? Binding.NONE : resolve(pod, Traffic.WORKLOAD);
    }

    private Binding resolve(KubeObject object, Traffic traffic) {
        return resolve(object, object.metadata().labels(), traffic);
    }

    private Binding resolve(KubeObject object, Map<String, String> own, Traffic traffic) {
        if (own.containsKey(USE)) {
            return named(object, own, traffic, false);
        }
        return objects.namespace(object.namespace())
                .map(namespace -> namespace.metadata().labels())
                .filter(labels -> labels.containsKey(USE))
                .map(labels -> named(object, labels, traffic, true))
                .orElse(Binding.NONE);
    }

    private Binding named(KubeObject object, Map<String, String> says, Traffic traffic, boolean inherited) {
        var name = says.getOrDefault(USE, "none");
        if (name.equals("none")) {
            return Binding.NONE;
        }
        var wanted = says.getOrDefault(USE_NAMESPACE, object.namespace()) + "/" + name;
        var gateway = objects.find(Gateway.class, Kind.GATEWAY, wanted.substring(0, wanted.indexOf('/')), name)
                .filter(Gateway::isWaypoint);
        if (gateway.isPresent() && !takes(gateway.get(), traffic)) {
            return inherited && traffic == Traffic.WORKLOAD
                    ? Binding.NONE
                    : new Binding(wanted, Optional.empty(), "UnsupportedTrafficType");
        }
        if (gateway.isEmpty() || !ready.containsKey(wanted)) {
            // A pod that only inherits is for workload waypoints alone, and nobody knows whether this would be one.
            return inherited && traffic == Traffic.WORKLOAD && gateway.isEmpty()
                    ? Binding.NONE
                    : new Binding(wanted, Optional.empty(), "WaypointIsNotReady");
        }
        var labels = objects.namespace(object.namespace())
                .map(namespace -> namespace.metadata().labels())
                .orElse(Map.of());
        return gateway.get().admits(object.namespace(), labels)
                ? new Binding(wanted, Optional.of(ready.get(wanted)), "")
                : new Binding(wanted, Optional.empty(), "AttachmentDenied");
    }

    private static boolean takes(Gateway gateway, Traffic traffic) {
        var said = gateway.metadata().label(FOR).orElse("service");
        return switch (traffic) {
            case SERVICE -> said.equals("service") || said.equals("all");
            case WORKLOAD -> said.equals("workload") || said.equals("all");
        };
    }

    /// What authors should know of their labels.
    void check(List<Problem> problems) {
        for (var service : objects.services()) {
            told(service, of(service)).ifPresent(problems::add);
        }
        for (var entry : objects.all(ServiceEntry.class)) {
            told(entry, of(entry)).ifPresent(problems::add);
        }
        for (var entry : objects.all(WorkloadEntry.class)) {
            told(entry, of(entry)).ifPresent(problems::add);
        }
        for (var pod : objects.pods()) {
            told(pod, of(pod)).ifPresent(problems::add);
            sharesAnAccount(pod).ifPresent(problems::add);
        }
        for (var gateway : objects.all(Gateway.class)) {
            gateway.metadata()
                    .label(FOR)
                    .filter(said -> !TRAFFIC.contains(said))
                    .map(said -> Problem.warning(
                            gateway.place(),
                            gateway.key().toString(),
                            "label " + FOR + ": " + said + " is unknown: the waypoint takes nothing",
                            "write service, workload, all or none"))
                    .ifPresent(problems::add);
        }
    }

    /// Who has the waypoint's identity is taken for it.
    private Optional<Problem> sharesAnAccount(Pod pod) {
        var account = pod.spec().serviceAccount();
        return ready.containsKey(pod.namespace() + "/" + account) && !isOf(pod.metadata(), account)
                ? Optional.of(Problem.warning(
                        pod.place(),
                        pod.key().toString(),
                        "uses ServiceAccount " + account
                                + ", the identity of the waypoint: it passes by every L7 policy"
                                + " that the waypoint enforces",
                        "give it a ServiceAccount of its own"))
                : Optional.empty();
    }

    private static Optional<Problem> told(KubeObject object, Binding binding) {
        if (binding.why.isEmpty()) {
            return Optional.empty();
        }
        var fix =
                switch (binding.why) {
                    case "AttachmentDenied" ->
                        "allow its namespace in the Gateway's listener: allowedRoutes.namespaces";
                    case "UnsupportedTrafficType" -> "label the Gateway " + FOR + ": all";
                    default -> "apply such a Gateway of class istio-waypoint, or correct the label " + USE;
                };
        return Optional.of(Problem.warning(
                object.place(),
                object.key().toString(),
                "WaypointBound=False: " + binding.why + ": " + binding.wanted
                        + "; its traffic goes on without a waypoint, and is refused where an L7 policy governs it",
                fix));
    }
}
