package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.daemon.admin.Request;
import dev.culvert.daemon.admin.Response;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.policy.Verdict;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.ztunnel.route.Route;
import dev.culvert.ztunnel.route.Router;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// `/culvert/explain?from=<namespace>/<pod>&to=<address or hostname>:<port>`: the same decisions as a connection's,
/// with their reasons. Changes nothing.
final class Explain {

    private final MeshState state;

    Explain(MeshState state) {
        this.state = state;
    }

    Response answer(Request request) throws JsonProcessingException {
        var mesh = state.current();
        var from = request.parameter("from").flatMap(name -> pod(mesh, name));
        var to = request.parameter("to").flatMap(Authority::parse);
        if (from.isEmpty() || to.isEmpty()) {
            return Response.text(
                    400, "from=<namespace>/<pod known to the mesh>&to=<address or hostname>:<port> is needed\n");
        }
        var address = address(mesh, from.get(), to.get());
        if (address.isEmpty()) {
            return Response.text(404, "no service or pod of the mesh is called " + to.get() + "\n");
        }
        return Response.json(new ObjectMapper()
                        .writerWithDefaultPrettyPrinter()
                        .writeValueAsString(explain(mesh, from.get(), address.get()))
                + "\n");
    }

    private static Optional<Workload> pod(MeshSnapshot mesh, String name) {
        return mesh.workloads().stream()
                .filter(workload -> (workload.namespace() + "/" + workload.name()).equals(name))
                .findFirst();
    }

    private static Optional<InetSocketAddress> address(MeshSnapshot mesh, Workload from, Authority to) {
        return switch (to) {
            case Authority.Address(var address) -> Optional.of(address);
            case Authority.Host(var name, var port) ->
                service(mesh, from, name)
                        .flatMap(service -> service.vips().stream().findFirst())
                        .map(vip -> new InetSocketAddress(vip.address(), port))
                        .or(() -> podAddress(mesh, from, name).map(ip -> new InetSocketAddress(ip, port)));
        };
    }

    /// `name`, `name.namespace` or the whole hostname.
    private static Optional<Service> service(MeshSnapshot mesh, Workload from, String name) {
        return mesh.services().stream()
                .filter(service -> service.hostname().equals(name)
                        || name.equals(service.name() + "." + service.namespace())
                        || (name.equals(service.name()) && service.namespace().equals(from.namespace())))
                .findFirst();
    }

    private static Optional<InetAddress> podAddress(MeshSnapshot mesh, Workload from, String name) {
        return mesh.workloads().stream()
                .filter(workload ->
                        workload.name().equals(name) && workload.namespace().equals(from.namespace()))
                .flatMap(workload -> workload.addresses().stream())
                .findFirst();
    }

    private ObjectNode explain(MeshSnapshot mesh, Workload from, InetSocketAddress to) {
        var route = new Router(mesh, from, Set.of(), RandomGenerator.getDefault()).route(to);
        var out = JsonNodeFactory.instance.objectNode();
        out.put("from", from.identity().toString()).put("to", Addresses.text(to));
        var about = out.putObject("route");
        about.put("kind", route.getClass().getSimpleName())
                .put("text", route.about().why());
        var workload = route.about().workload();
        if (workload != null) {
            about.put("workload", workload.namespace() + "/" + workload.name())
                    .put("node", workload.place().node());
        }
        if (workload != null && !(route instanceof Route.Refused)) {
            policy(out, mesh, from, route);
        } else {
            out.put("advice", advice(route, null));
        }
        return out;
    }

    private static void policy(ObjectNode out, MeshSnapshot mesh, Workload from, Route route) {
        var workload = route.about().workload();
        if (workload == null) {
            return;
        }
        if (!workload.speaksHbone()) {
            out.put("advice", workload.name() + " is not enrolled: no policy is enforced there");
            return;
        }
        if (route instanceof Route.Plain plain) {
            out.put(
                    "advice",
                    workload.name() + " keeps port " + plain.to().getPort()
                            + " out of the mesh (culvert.dev/exclude-inbound-ports): no policy is enforced there");
            return;
        }
        var target = route instanceof Route.Hbone hbone && hbone.authority() instanceof Authority.Address(var address)
                ? address
                : new InetSocketAddress(workload.addresses().getFirst(), 0);
        var source = from.addresses().isEmpty()
                ? target.getAddress()
                : from.addresses().getFirst();
        SpiffeId identity = from.speaksHbone() ? from.identity() : null;
        var verdict = Authorizer.decide(mesh.policiesFor(workload), new ConnectionFacts(identity, source, target));
        var about = out.putObject("policy");
        about.put("allowed", verdict.isAllowed()).put("text", verdict.text());
        if (verdict.reason() instanceof Verdict.ByRule(var policy, var rule)) {
            about.put("policy", policy).put("rule", rule);
        }
        out.put("advice", advice(route, verdict));
    }

    private static String advice(Route route, @Nullable Verdict verdict) {
        if (route instanceof Route.Refused) {
            return "look at the service's endpoints: culvert ztunnel-config service";
        }
        if (verdict == null || verdict.isAllowed()) {
            return "";
        }
        return switch (verdict.reason()) {
            case Verdict.ByRule(var policy, var rule) ->
                policy.contains("istio_converted_static_strict")
                        ? "PeerAuthentication STRICT: enrol the client's namespace (istio.io/dataplane-mode: ambient)"
                        : "change rule " + rule + " of AuthorizationPolicy " + policy
                                + ", or the client's service account";
            case Verdict.NoAllowMatched(var policies) ->
                "add the client's principal to a rule of " + String.join(" or ", policies);
            case Verdict.PolicyMissing(var policy) ->
                "the control plane has not sent " + policy + " yet: culvert status";
            case Verdict.NoAllowPolicy() -> "";
        };
    }
}
