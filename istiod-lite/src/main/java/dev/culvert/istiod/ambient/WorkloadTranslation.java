package dev.culvert.istiod.ambient;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.EndpointSlice;
import dev.culvert.kube.object.Exclusions;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Service;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.protos.workload.Extension;
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
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Turns a pod into `istio.workload.Workload`.
public final class WorkloadTranslation {
    static final String REDIRECTION = "ambient.istio.io/redirection";
    static final String DEFAULT_TRUST_DOMAIN = "cluster.local";
    static final String NAME = "service.istio.io/workload-name";
    private static final String TUNNEL_LABEL = "networking.istio.io/tunnel";
    private static final Pattern CRON_RUN = Pattern.compile("-\\d{8,10}$");

    private WorkloadTranslation() {}

    public static String uid(Pod pod, TranslationSettings settings) {
        return settings.clusterId() + "//Pod/" + pod.namespace() + "/" + pod.name();
    }

    /// Without its policies and its waypoint.
    static Workload.Builder translate(Pod pod, ObjectSet objects, TranslationSettings settings) {
        var metadata = pod.metadata();
        var name = workloadName(metadata);
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
                .setStatus(pod.ready() && !metadata.deleted() ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY)
                .setNetworkMode(pod.spec().hostNetwork() ? NetworkMode.HOST_NETWORK : NetworkMode.STANDARD)
                .putAllServices(services(pod, objects, settings));
        named(to, metadata.labels(), name);
        tunnelled(to, metadata, metadata.labels());
        if (!settings.trustDomain().equals(DEFAULT_TRUST_DOMAIN)) {
            to.setTrustDomain(settings.trustDomain());
        }
        pod.addresses().forEach(address -> to.addAddresses(ByteString.copyFrom(address.getAddress())));
        locality(pod, objects).ifPresent(to::setLocality);
        excluded(metadata).ifPresent(to::addExtensions);
        return to;
    }

    static void named(Workload.Builder to, Map<String, String> labels, String otherwise) {
        to.setCanonicalName(first(labels, "service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
                        .orElse(otherwise))
                .setCanonicalRevision(
                        first(labels, "service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
                                .orElse("latest"));
    }

    private static Optional<String> first(Map<String, String> labels, String... keys) {
        return Arrays.stream(keys).filter(labels::containsKey).findFirst().map(labels::get);
    }

    static void tunnelled(Workload.Builder to, Metadata metadata, Map<String, String> labels) {
        var nativeTunnel = Arrays.asList(labels.getOrDefault(TUNNEL_LABEL, "").split(",", -1))
                .contains("http");
        to.setTunnelProtocol(nativeTunnel || captured(metadata) ? TunnelProtocol.HBONE : TunnelProtocol.NONE)
                .setNativeTunnel(nativeTunnel);
    }

    /// A pod is reached by tunnel only once the node agent has said that it captures it.
    static boolean captured(Metadata metadata) {
        return metadata.annotation(REDIRECTION).filter("enabled"::equals).isPresent();
    }

    /// What peers dial in clear; a pod that is not captured takes nothing else.
    private static Optional<Extension> excluded(Metadata metadata) {
        if (!captured(metadata) || metadata.annotation(Exclusions.INBOUND_PORTS).isEmpty()) {
            return Optional.empty();
        }
        var ports = Exclusions.of(metadata.annotations()).inboundPorts();
        return ports.isEmpty()
                ? Optional.empty()
                : Optional.of(Extension.newBuilder()
                        .setName(AddressReader.EXCLUSIONS)
                        .setConfig(Any.pack(dev.culvert.protos.exclusions.Exclusions.newBuilder()
                                .addAllInboundPorts(new TreeSet<>(ports))
                                .build()))
                        .build());
    }

    private static String workloadName(Metadata metadata) {
        return metadata.label(NAME)
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
        for (var service : objects.all(Service.class, pod.namespace())) {
            if (service.type() != Service.Type.EXTERNAL_NAME) {
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
        return objects.all(EndpointSlice.class, pod.namespace()).stream()
                .filter(slice -> slice.metadata()
                        .label(SliceTranslation.SLICE_OF)
                        .filter(service.name()::equals)
                        .isPresent())
                .filter(slice -> slice.endpoints().stream()
                        .anyMatch(endpoint -> endpoint.pod().equals(pod.name())))
                .map(slice -> SliceTranslation.ports(service, slice))
                .findFirst();
    }
}
