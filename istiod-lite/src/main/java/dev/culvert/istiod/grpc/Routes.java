package dev.culvert.istiod.grpc;

import com.google.protobuf.Any;
import dev.culvert.protos.envoy.FaultAbort;
import dev.culvert.protos.envoy.FaultDelay;
import dev.culvert.protos.envoy.FractionalPercent;
import dev.culvert.protos.envoy.FractionalPercent.DenominatorType;
import dev.culvert.protos.envoy.HTTPFault;
import dev.culvert.protos.envoy.NonForwardingAction;
import dev.culvert.protos.envoy.Route;
import dev.culvert.protos.envoy.RouteAction;
import dev.culvert.protos.envoy.RouteConfiguration;
import dev.culvert.protos.envoy.VirtualHost;
import dev.culvert.protos.waypoint.Fault;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// The routes of a port of a Service. A call that may match a rule which a client cannot carry out fails, so that
/// it is never led where the rule's author did not want it.
final class Routes {
    private final Viewer viewer;
    private final Findings findings;
    private final Predicate<ClusterName> refused;

    /// @param refused clusters that must not be called
    Routes(Viewer viewer, Findings findings, Predicate<ClusterName> refused) {
        this.viewer = viewer;
        this.findings = findings;
        this.refused = refused;
    }

    RouteConfiguration configuration(ClusterName name, List<dev.culvert.protos.waypoint.Route> routes) {
        var host = VirtualHost.newBuilder()
                .setName(name.hostname() + ":" + name.port())
                .addDomains("*");
        routes.forEach(route -> add(route, host));
        return RouteConfiguration.newBuilder()
                .setName(name.toString())
                .addVirtualHosts(host)
                .build();
    }

    private void add(dev.culvert.protos.waypoint.Route route, VirtualHost.Builder host) {
        unsupported(route);
        var action = action(route);
        if (route.getMatchesCount() == 0) {
            host.addRoutes(one(route, action).setMatch(Conditions.any()));
        }
        for (var match : route.getMatchesList()) {
            var covered = Conditions.of(match, viewer);
            if (!covered.exact()) {
                findings.add(
                        "a condition of route " + route.getName()
                                + " is on something that they cannot see; calls that may match it fail",
                        "match on the method and on metadata only");
            }
            var carriedOut = covered.exact() ? action : Optional.<RouteAction>empty();
            covered.alternatives()
                    .forEach(
                            alternative -> host.addRoutes(one(route, carriedOut).setMatch(alternative)));
        }
    }

    private static Route.Builder one(dev.culvert.protos.waypoint.Route route, Optional<RouteAction> action) {
        var to = Route.newBuilder().setName(route.getName());
        if (action.isEmpty()) {
            return to.setNonForwardingAction(NonForwardingAction.getDefaultInstance());
        }
        if (route.hasFault()) {
            to.putTypedPerFilterConfig(Listeners.FAULT, Any.pack(fault(route.getFault())));
        }
        return to.setRoute(action.get());
    }

    /// Empty if calls fail.
    private Optional<RouteAction> action(dev.culvert.protos.waypoint.Route route) {
        return switch (route.getActionCase()) {
            case FORWARD -> new Forwarding(route.getName(), findings, refused).action(route.getForward());
            case REDIRECT, DIRECT_RESPONSE, ACTION_NOT_SET -> {
                findings.add(
                        "route " + route.getName() + " answers itself; its calls fail with UNAVAILABLE instead",
                        "write another rule for them, or have them dial the Service without xds:///");
                yield Optional.empty();
            }
        };
    }

    /// What is left out, and opens nothing.
    private void unsupported(dev.culvert.protos.waypoint.Route route) {
        if (route.getMirrorsCount() > 0) {
            findings.add("route " + route.getName() + ": they send no copies", "mirror at a waypoint");
        }
        var forward = route.getForward();
        if (changes(route.getRequestHeaders())
                || changes(route.getResponseHeaders())
                || forward.getRewrite().hasAuthority()
                || forward.getBackendsList().stream()
                        .anyMatch(to -> to.hasAuthority()
                                || changes(to.getRequestHeaders())
                                || changes(to.getResponseHeaders()))) {
            findings.add(
                    "route " + route.getName() + ": they change no headers",
                    "change them in the application, or at a waypoint");
        }
    }

    private static boolean changes(dev.culvert.protos.waypoint.HeaderOperations operations) {
        return operations.getRemoveCount() + operations.getSetCount() + operations.getAddCount() > 0;
    }

    private static HTTPFault fault(Fault fault) {
        var to = HTTPFault.newBuilder();
        if (fault.getDelayShare() > 0) {
            to.setDelay(FaultDelay.newBuilder()
                    .setFixedDelay(fault.getDelay())
                    .setPercentage(share(fault.getDelayShare())));
        }
        if (fault.getAbortShare() > 0) {
            var abort = FaultAbort.newBuilder().setPercentage(share(fault.getAbortShare()));
            to.setAbort(
                    fault.hasAbortGrpcStatus()
                            ? abort.setGrpcStatus(fault.getAbortGrpcStatus())
                            : abort.setHttpStatus(fault.getAbortStatus()));
        }
        return to.build();
    }

    private static FractionalPercent share(int millionths) {
        return FractionalPercent.newBuilder()
                .setNumerator(millionths)
                .setDenominator(DenominatorType.MILLION)
                .build();
    }
}
