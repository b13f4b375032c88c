package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.EndpointSlice;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.workload.Locality;
import dev.culvert.protos.workload.NetworkMode;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import dev.culvert.protos.workload.WorkloadType;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Turns a pod into `istio.workload.Workload`.
public final class WorkloadTranslation {
    static final String REDIRECTION = "ambient.istio.io/redirection";
    private static final String DEFAULT_TRUST_DOMAIN = "cluster.local";
    private static final String TUNNEL_LABEL = "networking.istio.io/tunnel";
    private static final String SLICE_OF = "kubernetes.io/service-name";
    private static final Pattern CRON_RUN = Pattern.compile("-\\d{8,10}$");

    private WorkloadTranslation() {}

    public static String uid(Pod pod, TranslationSettings settings) {
        return settings.clusterId() + "//Pod/" + pod.namespace() + "/" + pod.name();
    }

    /// Without its policies and its waypoint.
    static Workload.Builder translate(Pod pod, ObjectSet objects, TranslationSettings settings) {
        var metadata = pod.metadata();
        var name = workloadName(metadata);
        var nativeTunnel = metadata.label(TUNNEL_LABEL)
                .filter(protocols -> Arrays.asList(protocols.split(",", -1)).contains("http"))
                .isPresent();
        var to = Workload.newBuilder()
                .setUid(uid(pod, settings))
                .setName(pod.name())
                .setNamespace(pod.namespace())
                .setNetwork(settings.network())
                .setClusterId(settings.clusterId())
                .setServiceAccount(pod.spec().serviceAccount())
                .setNode(pod.spec().nodeName())
                .setWorkloadType(WorkloadType.POD)
                .setWorkloadName(name)
                .setCanonicalName(canonicalName(metadata).orElse(name))
                .setCanonicalRevision(canonicalRevision(metadata).orElse("latest"))
                .setTunnelProtocol(nativeTunnel || captured(pod) ? TunnelProtocol.HBONE : TunnelProtocol.NONE)
                .setNativeTunnel(nativeTunnel)
                .setStatus(pod.ready() && !metadata.deleted() ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY)
                .setNetworkMode(pod.spec().hostNetwork() ? NetworkMode.HOST_NETWORK : NetworkMode.STANDARD)
                .putAllServices(services(pod, objects, settings));
        if (!settings.trustDomain().equals(DEFAULT_TRUST_DOMAIN)) {
            to.setTrustDomain(settings.trustDomain());
        }
        pod.addresses().forEach(address -> to.addAddresses(ByteString.copyFrom(address.getAddress())));
        locality(pod, objects).ifPresent(to::setLocality);
        return to;
    }

    /// A pod is reached by tunnel only once the node agent has said that it captures it.
    static boolean captured(Pod pod) {
        return pod.metadata().annotation(REDIRECTION).filter("enabled"::equals).isPresent();
    }

    private static Optional<String> canonicalName(Metadata metadata) {
        return metadata.label("service.istio.io/canonical-name")
                .or(() -> metadata.label("app.kubernetes.io/name"))
                .or(() -> metadata.label("app"));
    }

    private static Optional<String> canonicalRevision(Metadata metadata) {
        return metadata.label("service.istio.io/canonical-revision")
                .or(() -> metadata.label("app.kubernetes.io/version"))
                .or(() -> metadata.label("version"));
    }

    private static String workloadName(Metadata metadata) {
        return metadata.label("service.istio.io/workload-name")
                .or(() -> metadata.owner().map(owner -> ofOwner(owner, metadata)))
                .orElse(metadata.name());
    }

    private static String ofOwner(Metadata.Owner owner, Metadata metadata) {
        return switch (owner.kind()) {
            case "ReplicaSet" ->
                metadata.label("pod-template-hash")
                        .filter(hash -> owner.name().endsWith("-" + hash))
                        .map(hash -> owner.name().substring(0, owner.name().length() - hash.length() - 1))
                        .orElse(owner.name());
            case "Job" -> CRON_RUN.matcher(owner.name()).replaceFirst("");
            default -> owner.name();
        };
    }

    private static Optional<Locality> locality(Pod pod, ObjectSet objects) {
        return objects.node(pod.spec().nodeName())
                .map(node -> Locality.newBuilder()
                        .setRegion(node.metadata()
                                .label("topology.kubernetes.io/region")
                                .orElse(""))
                        .setZone(node.metadata()
                                .label("topology.kubernetes.io/zone")
                                .orElse(""))
                        .setSubzone(node.metadata()
                                .label("topology.istio.io/subzone")
                                .orElse(""))
                        .build())
                .filter(locality -> !locality.equals(Locality.getDefaultInstance()));
    }

    private static Map<String, PortList> services(Pod pod, ObjectSet objects, TranslationSettings settings) {
        var services = new TreeMap<String, PortList>();
        for (var service : objects.services()) {
            if (service.namespace().equals(pod.namespace()) && service.type() != Service.Type.EXTERNAL_NAME) {
                if (service.selects(pod.metadata().labels())) {
                    services.put(ServiceTranslation.key(service, settings), ports(service, pod));
                } else if (service.selector().isEmpty()) {
                    slicePorts(service, pod, objects)
                            .ifPresent(ports -> services.put(ServiceTranslation.key(service, settings), ports));
                }
            }
        }
        return services;
    }

    private static PortList ports(Service service, Pod pod) {
        var to = PortList.newBuilder();
        for (var port : service.ports()) {
            target(port.target(), pod)
                    .filter(_ -> port.protocol().equals("TCP"))
                    .ifPresent(target -> to.addPorts(
                            Port.newBuilder().setServicePort(port.number()).setTargetPort(target)));
        }
        return to.build();
    }

    /// A name that no container gives to a port leaves the port out, for this workload.
    private static Optional<Integer> target(PortRef target, Pod pod) {
        return switch (target) {
            case PortRef.Numbered(var number) -> Optional.of(number);
            case PortRef.Named(var name) ->
                Stream.concat(pod.spec().containers().stream(), pod.spec().sidecars().stream())
                        .flatMap(container -> container.ports().stream())
                        .filter(port ->
                                port.name().equals(name) && port.protocol().equals("TCP"))
                        .map(Container.Port::number)
                        .findFirst();
        };
    }

    /// A Service without a selector has the endpoints that its slices name.
    private static Optional<PortList> slicePorts(Service service, Pod pod, ObjectSet objects) {
        return objects.all(EndpointSlice.class).stream()
                .filter(slice -> slice.namespace().equals(pod.namespace()))
                .filter(slice -> slice.metadata()
                        .label(SLICE_OF)
                        .filter(service.name()::equals)
                        .isPresent())
                .filter(slice -> slice.endpoints().stream()
                        .anyMatch(endpoint -> endpoint.pod().equals(pod.name())))
                .map(slice -> slicePorts(service, slice))
                .findFirst();
    }

    private static PortList slicePorts(Service service, EndpointSlice slice) {
        var to = PortList.newBuilder();
        for (var port : service.ports()) {
            slice.ports().stream()
                    .filter(one -> one.name().equals(port.name()) && one.number() != 0)
                    .forEach(one -> to.addPorts(
                            Port.newBuilder().setServicePort(port.number()).setTargetPort(one.number())));
        }
        return to.build();
    }
}
