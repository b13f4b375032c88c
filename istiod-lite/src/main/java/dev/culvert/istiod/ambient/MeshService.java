package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy.Target;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.protos.workload.AppProtocol;
import java.util.List;
import java.util.Map;

/// A name that is called inside of the mesh: a Service of Kubernetes, or one host of a ServiceEntry.
///
/// @param object that says so
/// @param ports without those of UDP
/// @param canonical whether callers of namespaces that have no such name of their own mean this one
public record MeshService(KubeObject object, String hostname, List<Port> ports, boolean canonical) {
    private static final String ISTIO = "networking.istio.io";

    public record Port(int number, AppProtocol protocol) {}

    public MeshService {
        ports = List.copyOf(ports);
    }

    public static MeshService of(Service service, TranslationSettings settings) {
        return new MeshService(
                service,
                ServiceTranslation.hostname(service, settings),
                service.ports().stream()
                        .filter(port -> !port.protocol().equals("UDP"))
                        .map(port -> new Port(port.number(), ServiceTranslation.appProtocol(port)))
                        .toList(),
                true);
    }

    static MeshService of(EntryServices.Published one) {
        return new MeshService(
                one.entry(),
                one.host(),
                one.entry().ports().stream()
                        .filter(port -> !port.protocol().equalsIgnoreCase("UDP"))
                        .map(port -> new Port(port.number(), ServiceTranslation.appProtocol(port.protocol())))
                        .toList(),
                one.canonical());
    }

    public String namespace() {
        return object.namespace();
    }

    /// Of the object.
    public String name() {
        return object.name();
    }

    /// The resource name.
    public String key() {
        return namespace() + "/" + hostname;
    }

    /// As messages have it.
    public String shown() {
        return object.kind().text() + " " + name();
    }

    public boolean isEntry() {
        return object instanceof ServiceEntry;
    }

    /// Whether nobody answers for it but the name that it stands for.
    boolean isExternalName() {
        return object instanceof Service service && service.type() == Service.Type.EXTERNAL_NAME;
    }

    /// Whether a waypoint would have to look up each name that is asked for.
    public boolean isOfAnyName() {
        return object instanceof ServiceEntry entry
                && hostname.startsWith("*")
                && entry.resolution().byName();
    }

    boolean selects(Map<String, String> labels) {
        return switch (object) {
            case Service service -> service.selects(labels);
            case ServiceEntry entry -> entry.selects(labels);
            default -> false;
        };
    }

    /// Whether a route is attached to it.
    public boolean isParent(ParentRef parent) {
        return (isEntry() ? parent.isServiceEntry() : parent.isService())
                && parent.namespace().equals(namespace())
                && parent.name().equals(name());
    }

    /// Whether a policy is bound to it.
    boolean isTarget(KubeObject policy, Target target) {
        return target.group().equals(isEntry() ? ISTIO : "")
                && target.kind().equals(object.kind().text())
                && policy.namespace().equals(namespace())
                && target.name().equals(name());
    }
}
