package dev.culvert.istiod.status;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.GatewayClass;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.kube.object.Route;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.Telemetry;
import dev.culvert.kube.object.Unserved;
import dev.culvert.kube.object.VirtualService;
import dev.culvert.kube.object.WorkloadEntry;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the status of each object is to say; conditions, reasons and messages are Istio's where it has them. Pure, but
/// for `deployed`.
final class StatusRules {
    private static final String BOUND = "istio.io/WaypointBound";
    private static final String ZTUNNEL = "ZtunnelAccepted";
    private static final String WAYPOINT = "WaypointAccepted";
    private static final String EDGE = "GatewayAccepted";

    private final TranslationSettings settings;
    private final Deployed deployed;

    StatusRules(TranslationSettings settings, Deployed deployed) {
        this.settings = settings;
        this.deployed = deployed;
    }

    List<Wanted> of(Outcome now) {
        var waypoints = new Waypoints(now.objects(), settings);
        var edges = EdgeGateway.all(now.objects());
        var routes = new RouteStatuses(now, MeshServices.of(now.objects(), settings), waypoints, edges);
        var all = new ArrayList<Wanted>();
        var unread = now.objects().gaps().stream()
                .map(Gap::key)
                .flatMap(Optional::stream)
                .collect(Collectors.toCollection(TreeSet::new));
        for (var object : now.objects().objects().values()) {
            if (!unread.contains(object.key()) && isOurs(object, now)) {
                (object instanceof Route route ? routes.of(route) : of(object, now, waypoints, edges))
                        .ifPresent(all::add);
            }
        }
        unread.stream()
                .filter(key -> key.kind() == Kind.AUTHORIZATION_POLICY
                        && now.revisions().owns(key))
                .map(key -> Wanted.conditions(
                        key, 0, List.of(Wanted.condition(ZTUNNEL, false, "Invalid", messages(key, now)))))
                .forEach(all::add);
        return all;
    }

    /// Every revision says the same of a class.
    private static boolean isOurs(KubeObject object, Outcome now) {
        return object instanceof GatewayClass || now.revisions().owns(object);
    }

    private Optional<Wanted> of(KubeObject object, Outcome now, Waypoints waypoints, List<EdgeGateway> edges) {
        return switch (object) {
            case Service service -> called(service, waypoints);
            case ServiceEntry entry -> Optional.of(called(entry, now, waypoints));
            case AuthorizationPolicy policy -> Optional.of(policy(policy, now, waypoints));
            case RequestAuthentication tokens
            when !tokens.targetRefs().isEmpty() -> Optional.of(targeted(tokens, tokens.targetRefs(), now, waypoints));
            case RequestAuthentication unbound -> Optional.of(traffic(unbound, WAYPOINT, now));
            case PeerAuthentication mode -> Optional.of(atNodes(mode, now));
            case WorkloadEntry machine -> Optional.of(atNodes(machine, now));
            case VirtualService routes ->
                Optional.of(traffic(routes, routes.inMesh() || routes.hosts().isEmpty() ? WAYPOINT : EDGE, now));
            case IstioGateway gateway -> Optional.of(traffic(gateway, EDGE, now));
            case DestinationRule rule -> Optional.of(traffic(rule, WAYPOINT, now));
            case Unserved other ->
                Optional.of(conditions(other, "Accepted", false, "UnsupportedKind", messages(other.key(), now)));
            case Telemetry telemetry -> Optional.of(traffic(telemetry, WAYPOINT, now));
            case GatewayClass known
            when known.controller().equals(Waypoints.CONTROLLER) ->
                Optional.of(conditions(known, "Accepted", true, "Accepted", "Handled by Culvert"));
            case Gateway gateway
            when EdgeGateway.isOne(gateway, now.objects()) ->
                edges.stream()
                        .filter(edge -> edge.gateway().equals(gateway))
                        .findFirst()
                        .map(edge -> new EdgeStatuses(settings, deployed).of(edge, now.objects()));
            case Gateway gateway
            when gateway.isWaypoint() && Waypoints.isOurs(gateway, now.objects()) -> Optional.of(gateway(gateway, now));
            default -> Optional.empty();
        };
    }

    private static Wanted conditions(KubeObject object, String type, boolean holds, String reason, String message) {
        return conditions(object, List.of(Wanted.condition(type, holds, reason, message)));
    }

    private static Wanted conditions(KubeObject object, List<Map<String, ?>> all) {
        return Wanted.conditions(object.key(), object.metadata().generation(), all);
    }

    private static Optional<Wanted> called(Service service, Waypoints waypoints) {
        return bound(waypoints.of(service)).map(condition -> conditions(service, List.of(condition)));
    }

    private static Wanted called(ServiceEntry entry, Outcome now, Waypoints waypoints) {
        return conditions(
                entry,
                Stream.concat(Stream.of(ztunnel(entry, now)), bound(waypoints.of(entry)).stream())
                        .toList());
    }

    private static Optional<Map<String, ?>> bound(Waypoints.Binding binding) {
        if (binding.wanted().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                binding.waypoint().isPresent()
                        ? Wanted.condition(
                                BOUND,
                                true,
                                "WaypointAccepted",
                                "Successfully attached to waypoint " + binding.wanted())
                        : Wanted.condition(
                                BOUND,
                                false,
                                binding.why(),
                                "waypoint " + binding.wanted()
                                        + " cannot be used; what an L7 policy governs is refused"));
    }

    private Wanted policy(AuthorizationPolicy policy, Outcome now, Waypoints waypoints) {
        return policy.targetRefs().isEmpty()
                ? atNodes(policy, now)
                : targeted(policy, policy.targetRefs(), now, waypoints);
    }

    /// Of what node proxies carry out.
    private static Wanted atNodes(KubeObject object, Outcome now) {
        return conditions(object, List.of(ztunnel(object, now)));
    }

    private static Map<String, ?> ztunnel(KubeObject object, Outcome now) {
        var problems = problems(object.key(), now);
        var refused = problems.stream().anyMatch(Problem::isError);
        return problems.isEmpty()
                ? Wanted.condition(ZTUNNEL, true, "Accepted", "attached to ztunnel")
                : Wanted.condition(ZTUNNEL, !refused, "UnsupportedValue", messages(object.key(), now));
    }

    /// Of what has no parent to be told of: its problems are the condition's message.
    private static Wanted traffic(KubeObject object, String type, Outcome now) {
        var problems = problems(object.key(), now);
        var unused = problems.stream().anyMatch(Problem::isUnused);
        var refused = problems.stream().anyMatch(Problem::isError);
        return problems.isEmpty()
                ? conditions(
                        object,
                        type,
                        true,
                        "Accepted",
                        type.equals(EDGE)
                                ? "in force at the edge"
                                : "in force at the waypoints and gateways that it is for")
                : conditions(
                        object,
                        type,
                        !unused && !refused,
                        unused ? "AncestorNotBound" : "PartiallyInvalid",
                        messages(object.key(), now));
    }

    private Wanted targeted(
            KubeObject policy, List<AuthorizationPolicy.Target> targets, Outcome now, Waypoints waypoints) {
        var missing = targets.stream()
                .filter(target -> !L7Targets.exists(policy, target, now.objects(), settings.rootNamespace()))
                .map(target -> target.kind() + "." + target.group() + ":" + policy.namespace() + "/" + target.name())
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            var several = targets.size() > 1;
            return conditions(
                    policy, WAYPOINT, false, several ? "Invalid" : "TargetNotFound", "Invalid targetRefs: " + missing);
        }
        var unbound = targets.stream()
                .flatMap(target -> called(policy, target, now).stream())
                .filter(service -> waypoints.binding(service).waypoint().isEmpty())
                .map(service -> service.namespace() + "/" + service.name())
                .collect(Collectors.joining(", "));
        return unbound.isEmpty()
                ? conditions(policy, WAYPOINT, true, "Accepted", "bound to " + bound(policy, targets, now, waypoints))
                : conditions(
                        policy,
                        WAYPOINT,
                        false,
                        "AncestorNotBound",
                        "no waypoint serves " + unbound + ": all calls are refused until one does");
    }

    /// The Service or ServiceEntry that a policy is bound to, if it is to one.
    private static Optional<? extends KubeObject> called(
            KubeObject policy, AuthorizationPolicy.Target target, Outcome now) {
        return switch (target.kind()) {
            case "Service" -> now.objects().find(Service.class, Kind.SERVICE, policy.namespace(), target.name());
            case "ServiceEntry" ->
                now.objects().find(ServiceEntry.class, Kind.SERVICE_ENTRY, policy.namespace(), target.name());
            default -> Optional.empty();
        };
    }

    private static String bound(
            KubeObject policy, List<AuthorizationPolicy.Target> targets, Outcome now, Waypoints waypoints) {
        return targets.stream()
                .map(target -> called(policy, target, now)
                        .map(service -> waypoints.binding(service).wanted())
                        .orElseGet(() -> policy.namespace() + "/" + target.name()))
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static List<Problem> problems(ObjectKey key, Outcome now) {
        var name = key.toString();
        return now.problems().stream()
                .filter(problem -> problem.object().equals(name))
                .toList();
    }

    private static String messages(ObjectKey key, Outcome now) {
        return problems(key, now).stream()
                .map(problem -> problem.message() + (problem.fix().isEmpty() ? "" : " (" + problem.fix() + ")"))
                .distinct()
                .collect(Collectors.joining("; "));
    }

    private Wanted gateway(Gateway gateway, Outcome now) {
        var service = now.objects().find(Service.class, Kind.SERVICE, gateway.namespace(), gateway.name());
        var addresses = service.map(Service::addresses).orElse(List.of());
        var hostname = gateway.name() + "." + gateway.namespace() + ".svc." + settings.clusterDomain();
        return new Wanted(
                gateway.key(),
                gateway.metadata().generation(),
                Map.of(
                        "conditions",
                        List.of(accepted(gateway), programmed(gateway, !addresses.isEmpty(), hostname)),
                        "addresses",
                        addresses.isEmpty() ? List.of() : addresses(addresses, hostname),
                        "listeners",
                        gateway.listeners().stream().map(StatusRules::listener).toList()));
    }

    private Map<String, ?> accepted(Gateway gateway) {
        var problem = deployed.problem(gateway);
        return problem.isPresent()
                ? Wanted.condition("Accepted", false, "InvalidParameters", problem.get())
                : Wanted.condition("Accepted", true, "Accepted", "Resource accepted");
    }

    private Map<String, ?> programmed(Gateway gateway, boolean hasAddress, String hostname) {
        if (!hasAddress) {
            return Wanted.condition(
                    "Programmed", false, "AddressNotAssigned", "Service " + gateway.name() + " has no address yet");
        }
        return deployed.isReady(gateway)
                ? Wanted.condition(
                        "Programmed",
                        true,
                        "Programmed",
                        "Resource programmed, assigned to service(s) " + hostname + ":" + Gateway.HBONE_PORT)
                : Wanted.condition(
                        "Programmed",
                        false,
                        "AddressNotUsable",
                        "no pod of Deployment " + gateway.name() + " is ready; look at its events and logs");
    }

    private static List<Map<String, String>> addresses(List<InetAddress> addresses, String hostname) {
        return Stream.concat(
                        addresses.stream()
                                .map(address -> Map.of("type", "IPAddress", "value", address.getHostAddress())),
                        Stream.of(Map.of("type", "Hostname", "value", hostname)))
                .toList();
    }

    private static Map<String, ?> listener(Gateway.Listener listener) {
        return Map.of(
                "name",
                listener.name(),
                "attachedRoutes",
                0,
                "supportedKinds",
                List.of(),
                "conditions",
                List.of(
                        Wanted.condition("Accepted", true, "Accepted", "No errors found"),
                        Wanted.condition("Conflicted", false, "NoConflicts", "No errors found"),
                        Wanted.condition("Programmed", true, "Programmed", "No errors found"),
                        Wanted.condition("ResolvedRefs", true, "ResolvedRefs", "No errors found")));
    }
}
