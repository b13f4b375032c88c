package dev.culvert.istiod.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.culvert.istiod.ambient.ServiceTranslation;
import dev.culvert.istiod.ambient.Translation;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.WorkloadTranslation;
import dev.culvert.istiod.waypoint.CallerRules;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.TrafficPolicy.Tls;
import dev.culvert.protos.envoy.Locality;
import dev.culvert.protos.waypoint.LocalityPolicy;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.Workload;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The mesh at one moment as gRPC clients see it. A resource is made when the first client asks for it and is then
/// the same bytes for all that it looks the same to. Pure but for that memory; thread-safe.
public final class GrpcMesh {
    public static final String LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";
    public static final String ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    public static final String CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    public static final String ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    public static final Set<String> TYPES = Set.of(LISTENER, ROUTES, CLUSTER, ENDPOINTS);

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final Map<String, Address> addresses;
    private final ServerListeners servers;
    private @Nullable Known known;
    private final Map<Key, Optional<Told>> made = new HashMap<>();

    private final Map<Called, List<Route>> routes = new HashMap<>();

    /// By callers of a namespace.
    private record Called(ServiceNames.Target target, String namespace) {}

    private record Key(String type, String name, Viewer viewer) {}

    /// @param problems what of it clients cannot carry out
    public record Told(Any resource, List<Problem> problems) {
        public Told {
            problems = List.copyOf(problems);
        }
    }

    /// Of a mesh without anything in it.
    public static final GrpcMesh EMPTY = new GrpcMesh(
            ObjectSet.EMPTY, new Translation(Map.of(), Map.of(), List.of()), TranslationSettings.defaults());

    /// What is looked up again and again.
    ///
    /// @param workloads by the name of the Service, in the order of their names
    private record Known(ServiceNames names, CallerRules rules, Map<String, List<Workload>> workloads) {
        static Known of(ObjectSet objects, Map<String, Address> addresses, TranslationSettings settings) {
            var workloads = new HashMap<String, List<Workload>>();
            addresses.values().stream()
                    .filter(Address::hasWorkload)
                    .map(Address::getWorkload)
                    .sorted(Comparator.comparing(Workload::getUid))
                    .forEach(workload -> workload.getServicesMap()
                            .keySet()
                            .forEach(service -> workloads
                                    .computeIfAbsent(service, _ -> new ArrayList<>())
                                    .add(workload)));
            return new Known(new ServiceNames(objects, settings), new CallerRules(objects, settings), workloads);
        }
    }

    /// @param told what node proxies are
    public GrpcMesh(ObjectSet objects, Translation told, TranslationSettings settings) {
        this.objects = objects;
        this.addresses = told.addresses();
        this.servers = new ServerListeners(told.policies());
        this.settings = settings;
    }

    /// Made for the first client: meshes without one pay nothing.
    private Known known() {
        var found = known;
        if (found == null) {
            found = Known.of(objects, addresses, settings);
            known = found;
        }
        return found;
    }

    /// @param pod the name of the client's
    /// @param said where the client says it is; what is known of its pod goes before
    public Viewer viewer(String namespace, String pod, Locality said) {
        return objects.find(Pod.class, Kind.POD, namespace, pod)
                .filter(found -> !found.finished())
                .map(found -> {
                    var uid = WorkloadTranslation.uid(found, settings);
                    var at = Optional.ofNullable(addresses.get(uid))
                            .map(address -> address.getWorkload().getLocality())
                            .map(locality -> Locality.newBuilder()
                                    .setRegion(locality.getRegion())
                                    .setZone(locality.getZone())
                                    .setSubZone(locality.getSubzone())
                                    .build())
                            .filter(locality -> !locality.equals(Locality.getDefaultInstance()));
                    return new Viewer(namespace, uid, found.spec().nodeName(), at.orElse(said));
                })
                .orElseGet(() -> new Viewer(namespace, "", "", said));
    }

    /// Empty if there is no such thing for this client.
    public synchronized Optional<Told> resource(String type, String name, Viewer viewer) {
        var sees = matters(type, name, viewer) ? viewer : Viewer.of(viewer.namespace());
        var key = new Key(type, name, sees);
        var known = made.get(key);
        if (known != null) {
            return known;
        }
        var told = make(type, name, sees);
        if (told.isPresent()) {
            made.put(key, told);
        }
        return told;
    }

    /// Whether it matters who of the namespace asks, and from where.
    private boolean matters(String type, String name, Viewer viewer) {
        if (name.startsWith(ServerListeners.PREFIX)) {
            return true;
        }
        var target = ClusterName.parse(name).flatMap(one -> known().names().named(one.hostname(), one.port()));
        if (target.isEmpty()) {
            return false;
        }
        return switch (type) {
            case ROUTES ->
                routes(target.get(), viewer).stream()
                        .flatMap(route -> route.getMatchesList().stream())
                        .anyMatch(RequestMatch::hasSources);
            case ENDPOINTS -> {
                var subset = ClusterName.parse(name).map(ClusterName::subset).orElse("");
                yield Closeness.matters(near(target.get(), subset, viewer), balancing(target.get()));
            }
            default -> false;
        };
    }

    private Optional<Told> make(String type, String name, Viewer viewer) {
        return switch (type) {
            case LISTENER -> listener(name, viewer);
            case ROUTES -> ClusterName.parse(name).flatMap(one -> routes(one, viewer));
            case CLUSTER ->
                name.equals(ClusterName.NOWHERE)
                        ? Optional.of(told(Clusters.nowhere()))
                        : ClusterName.parse(name).flatMap(one -> cluster(one, viewer));
            case ENDPOINTS ->
                name.equals(ClusterName.NOWHERE)
                        ? Optional.of(told(Endpoints.none(name)))
                        : ClusterName.parse(name).flatMap(one -> endpoints(one, viewer));
            default -> Optional.empty();
        };
    }

    private static Told told(Message message) {
        return new Told(Any.pack(message), List.of());
    }

    private Told told(Message message, Findings findings) {
        var problems = new ArrayList<>(findings.all());
        problems.addAll(known().rules().problems());
        return new Told(Any.pack(message), problems);
    }

    private Optional<Told> listener(String dialled, Viewer viewer) {
        if (dialled.startsWith(ServerListeners.PREFIX)) {
            return Optional.ofNullable(addresses.get(viewer.workload()))
                    .flatMap(own -> servers.of(dialled, own.getWorkload()))
                    .map(GrpcMesh::told);
        }
        return known().names()
                .dialled(dialled, viewer.namespace())
                .map(target ->
                        new ClusterName(target.port(), "", ServiceTranslation.hostname(target.service(), settings)))
                .map(routes -> told(Listeners.of(dialled, routes)));
    }

    private Optional<Told> routes(ClusterName name, Viewer viewer) {
        return known().names().named(name.hostname(), name.port()).map(target -> {
            var findings = new Findings(target.service());
            var to = new Routes(viewer, findings, cluster -> tls(cluster, viewer) == Tls.OTHER);
            var configuration = to.configuration(name, routes(target, viewer));
            return told(configuration, findings);
        });
    }

    private List<Route> routes(ServiceNames.Target target, Viewer viewer) {
        return routes.computeIfAbsent(
                new Called(target, viewer.namespace()),
                _ -> known().rules().routes(target.service(), target.port(), viewer.namespace()));
    }

    private Optional<Told> cluster(ClusterName name, Viewer viewer) {
        return known().names()
                .named(name.hostname(), name.port())
                .filter(target -> isDeclared(name, target, viewer) && tls(name, viewer) != Tls.OTHER)
                .map(target -> {
                    var findings = new Findings(target.service());
                    var service = target.service();
                    var traffic = known().rules().traffic(service, name.port(), name.subset(), viewer.namespace());
                    var mutual = tls(name, viewer) == Tls.ISTIO_MUTUAL;
                    var cluster = new Clusters(findings).cluster(name, traffic, mutual, identities(target));
                    return told(cluster, findings);
                });
    }

    private Tls tls(ClusterName name, Viewer viewer) {
        return known().names()
                .named(name.hostname(), name.port())
                .flatMap(
                        target -> known().rules().tls(target.service(), name.port(), name.subset(), viewer.namespace()))
                .orElse(Tls.DISABLE);
    }

    private boolean isDeclared(ClusterName name, ServiceNames.Target target, Viewer viewer) {
        return name.subset().isEmpty()
                || known().rules()
                        .subset(target.service(), name.subset(), viewer.namespace())
                        .isPresent();
    }

    private List<Workload> workloads(ServiceNames.Target target) {
        return known().workloads().getOrDefault(ServiceTranslation.key(target.service(), settings), List.of());
    }

    /// Whose certificates the endpoints may show. Never none, since none would mean any: a name that nobody has,
    /// then.
    private List<String> identities(ServiceNames.Target target) {
        var all = workloads(target).stream()
                .filter(workload -> !workload.getServiceAccount().isEmpty())
                .map(workload -> spiffe(workload.getNamespace(), workload.getServiceAccount()))
                .distinct()
                .sorted()
                .toList();
        return all.isEmpty() ? List.of(spiffe(target.service().namespace(), "")) : all;
    }

    private String spiffe(String namespace, String account) {
        return "spiffe://" + settings.trustDomain() + "/ns/" + namespace + "/sa/" + account;
    }

    private Optional<Told> endpoints(ClusterName name, Viewer viewer) {
        return known().names()
                .named(name.hostname(), name.port())
                .filter(target -> isDeclared(name, target, viewer))
                .map(target -> told(assignment(name, target, viewer)));
    }

    private Message assignment(ClusterName name, ServiceNames.Target target, Viewer viewer) {
        var chosen = name.subset().isEmpty()
                ? Optional.<Set<String>>empty()
                : known().rules().subset(target.service(), name.subset(), viewer.namespace());
        var members = workloads(target).stream()
                .filter(workload -> chosen.isEmpty() || chosen.get().contains(workload.getUid()))
                .toList();
        var balancing = balancing(target);
        var closeness = new Closeness(near(target, name.subset(), viewer), balancing, viewer, here());
        var ready = balancing.getHealthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
        var service = ServiceTranslation.key(target.service(), settings);
        return new Endpoints(service, name.port(), ready, closeness).assignment(name, members);
    }

    /// What the Service says itself.
    private LoadBalancing balancing(ServiceNames.Target target) {
        return Optional.ofNullable(addresses.get(ServiceTranslation.key(target.service(), settings)))
                .map(address -> address.getService().getLoadBalancing())
                .orElse(LoadBalancing.getDefaultInstance());
    }

    private LocalityPolicy near(ServiceNames.Target target, String subset, Viewer viewer) {
        return known().rules()
                .traffic(target.service(), target.port(), subset, viewer.namespace())
                .getLoadBalancer()
                .getLocality();
    }

    /// What all workloads of this cluster have alike.
    private Workload here() {
        return Workload.newBuilder()
                .setNetwork(settings.network())
                .setClusterId(settings.clusterId())
                .build();
    }
}
