package dev.culvert.istiod.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.istiod.ambient.MeshScope;
import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.waypoint.WaypointTranslator;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the controller would say of objects: the problems of a running mesh, before there is one. Pure.
final class Analysis {
    private static final InetAddress NOWHERE = InetAddress.ofLiteral("192.0.2.1"); // RFC 5737

    private Analysis() {}

    static List<Problem> of(ObjectSet objects, IstiodSettings settings) {
        var scope = MeshScope.of(objects, settings.translation());
        var all = withWaypoints(Revisions.of(scope, settings.translation()).configuration());
        var problems = new ArrayList<>(all.problems());
        problems.addAll(Translator.translate(all, settings.translation()).problems());
        problems.addAll(
                WaypointTranslator.translate(all, settings.translation()).problems());
        return problems.stream().distinct().sorted().toList();
    }

    /// What lies over the objects of a cluster replaces those.
    static ObjectSet over(ObjectSet cluster, ObjectSet files) {
        var all = new HashMap<>(cluster.objects());
        all.putAll(files.objects());
        var problems = new ArrayList<>(cluster.problems());
        problems.addAll(files.problems());
        return new ObjectSet(all, problems, cluster.gaps());
    }

    /// The Services that the controller makes for Gateways, as if it had.
    private static ObjectSet withWaypoints(ObjectSet objects) {
        var all = new HashMap<>(objects.objects());
        for (var gateway : objects.all(Gateway.class)) {
            if (gateway.isWaypoint() && Waypoints.isOurs(gateway, objects)) {
                var key = new ObjectKey(Kind.SERVICE, gateway.namespace(), gateway.name());
                all.computeIfAbsent(key, _ -> service(gateway));
            }
        }
        return new ObjectSet(all, objects.problems(), objects.gaps());
    }

    private static KubeObject service(Gateway gateway) {
        var metadata = new Metadata(
                gateway.name(),
                gateway.namespace(),
                "",
                Map.of(
                        Waypoints.GATEWAY_NAME,
                        gateway.name(),
                        "gateway.istio.io/managed",
                        Waypoints.CONTROLLER.replace('/', '-')),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                false);
        return new Service(
                metadata,
                Service.Type.CLUSTER_IP,
                false,
                List.of(NOWHERE),
                List.of(),
                List.of(),
                Map.of(),
                false,
                "",
                false,
                List.of(),
                gateway.place());
    }

    /// `Error (AuthorizationPolicy shop/x, policies.yaml:3) what; what to write`.
    static String line(Problem problem) {
        var object = problem.object().isEmpty() ? "" : problem.object() + ", ";
        return name(problem) + " (" + object + problem.place() + ") " + problem.message()
                + (problem.fix().isEmpty() ? "" : "; " + problem.fix());
    }

    private static String name(Problem problem) {
        return switch (problem.severity()) {
            case ERROR -> "Error";
            case WARNING -> "Warning";
        };
    }

    static String json(List<Problem> problems) {
        var all = new ObjectMapper().createArrayNode();
        for (var problem : problems) {
            all.addObject()
                    .put("level", name(problem))
                    .put("origin", problem.object())
                    .put("reference", problem.place().toString())
                    .put("message", problem.message())
                    .put("fix", problem.fix());
        }
        return all.toPrettyString() + "\n";
    }
}
