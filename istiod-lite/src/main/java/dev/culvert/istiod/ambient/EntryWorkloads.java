package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import com.google.protobuf.UInt32Value;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.WorkloadEntry;
import dev.culvert.protos.workload.Locality;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadOrBuilder;
import dev.culvert.protos.workload.WorkloadStatus;
import dev.culvert.protos.workload.WorkloadType;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Turns WorkloadEntries, and the endpoints that ServiceEntries name, into workloads.
final class EntryWorkloads {
    private static final String GROUP = "/networking.istio.io/";

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final EntryServices entries;

    EntryWorkloads(ObjectSet objects, TranslationSettings settings, EntryServices entries) {
        this.objects = objects;
        this.settings = settings;
        this.entries = entries;
    }

    static String uid(WorkloadEntry entry, TranslationSettings settings) {
        return settings.clusterId() + GROUP + "WorkloadEntry/" + entry.namespace() + "/" + entry.name();
    }

    /// @param address of the endpoint, as its author wrote it
    static String uid(ServiceEntry entry, String address, TranslationSettings settings) {
        return settings.clusterId() + GROUP + "ServiceEntry/" + entry.namespace() + "/" + entry.name() + "/" + address;
    }

    Member translate(WorkloadEntry entry, Waypoints waypoints) {
        var labels = entry.labels();
        var spec = entry.spec();
        var services = new TreeMap<>(entries.selecting(
                entry.namespace(), labels, port -> spec.ports().getOrDefault(port.name(), port.target())));
        for (var service : objects.services()) {
            if (service.namespace().equals(entry.namespace())
                    && service.type() != Service.Type.EXTERNAL_NAME
                    && service.selects(labels)) {
                services.put(ServiceTranslation.key(service, settings), ports(service, spec));
            }
        }
        var group = entry.metadata().annotation("istio.io/autoRegistrationGroup");
        var to = workload(entry.metadata(), labels, spec)
                .setUid(uid(entry, settings))
                .putAllServices(services);
        group.ifPresent(to::setWorkloadName);
        return new Member(labels, to, waypoints.of(entry), isOutside(to));
    }

    /// Endpoints of all entries. Policies see them with the labels of the entry.
    List<Member> inline(Waypoints waypoints, WaypointOnly only) {
        var all = new ArrayList<Member>();
        for (var entry : objects.all(ServiceEntry.class)) {
            var hosts = entries.of(entry);
            var gated = hosts.stream()
                    .anyMatch(host -> only.gate(MeshService.of(host)).isPresent());
            if (entry.endpoints().isEmpty()) {
                if (entry.resolution().byName() && entry.selector().isEmpty()) {
                    hosts.forEach(host -> all.add(endpoint(entry, named(host.host()), List.of(host), waypoints)));
                }
            } else if (!hosts.isEmpty()) {
                entry.endpoints().forEach(spec -> {
                    var member = endpoint(entry, spec, hosts, waypoints);
                    if (gated) {
                        hide(member.workload(), entry);
                    }
                    all.add(member);
                });
            }
        }
        return all;
    }

    private static boolean isOutside(WorkloadOrBuilder workload) {
        return workload.getTunnelProtocol() == TunnelProtocol.NONE;
    }

    /// Who calls an address that is the entry's, too, means the entry, and not the endpoint past its waypoint.
    private static void hide(Workload.Builder endpoint, ServiceEntry entry) {
        endpoint.getAddressesList().stream()
                .map(EntryWorkloads::address)
                .filter(entry::covers)
                .findFirst()
                .ifPresent(address -> endpoint.clearAddresses().setHostname(address.getHostAddress()));
    }

    private static InetAddress address(ByteString bytes) {
        try {
            return InetAddress.getByAddress(bytes.toByteArray());
        } catch (UnknownHostException never) {
            throw new IllegalStateException(never);
        }
    }

    private static WorkloadEntry.Spec named(String host) {
        return new WorkloadEntry.Spec(host, Map.of(), Map.of(), "", "", 0, "");
    }

    private Member endpoint(
            ServiceEntry entry, WorkloadEntry.Spec spec, List<EntryServices.Published> hosts, Waypoints waypoints) {
        var labels = entry.metadata().labels();
        var to = workload(entry.metadata(), labels, spec).setUid(uid(entry, spec.address(), settings));
        hosts.forEach(host -> to.putServices(
                host.key(), EntryServices.ports(entry, port -> spec.ports().getOrDefault(port.name(), port.target()))));
        return new Member(labels, to, waypoints.ofEndpoint(entry, spec.labels()), isOutside(to));
    }

    private Workload.Builder workload(Metadata metadata, Map<String, String> labels, WorkloadEntry.Spec spec) {
        var name = Optional.ofNullable(labels.get(WorkloadTranslation.NAME)).orElse(metadata.name());
        var to = Workload.newBuilder()
                .setName(metadata.name())
                .setNamespace(metadata.namespace())
                .setNetwork(spec.network().isEmpty() ? settings.network() : spec.network())
                .setClusterId(settings.clusterId())
                .setServiceAccount(spec.serviceAccount())
                .setWorkloadType(WorkloadType.POD)
                .setWorkloadName(name)
                .setStatus(WorkloadStatus.HEALTHY);
        WorkloadTranslation.named(to, labels, name);
        WorkloadTranslation.tunnelled(to, metadata, labels);
        if (!settings.trustDomain().equals(WorkloadTranslation.DEFAULT_TRUST_DOMAIN)) {
            to.setTrustDomain(settings.trustDomain());
        }
        locality(spec.locality()).ifPresent(to::setLocality);
        if (spec.weight() > 0) {
            to.setCapacity(UInt32Value.of(spec.weight()));
        }
        try {
            to.addAddresses(ByteString.copyFrom(Literals.address(spec.address()).getAddress()));
        } catch (IllegalArgumentException aName) {
            to.setHostname(spec.address());
        }
        return to;
    }

    private static Optional<Locality> locality(String text) {
        var parts = text.split("/", 3);
        return text.isEmpty()
                ? Optional.empty()
                : Optional.of(Locality.newBuilder()
                        .setRegion(parts[0])
                        .setZone(parts.length > 1 ? parts[1] : "")
                        .setSubzone(parts.length > 2 ? parts[2] : "")
                        .build());
    }

    /// A named target is a port of the workload or left out; to a numbered one the workload may say another, by the
    /// Service's name of it.
    private static PortList ports(Service service, WorkloadEntry.Spec spec) {
        var to = PortList.newBuilder();
        for (var port : service.ports()) {
            var target =
                    switch (port.target()) {
                        case PortRef.Named(var name) ->
                            Optional.ofNullable(spec.ports().get(name));
                        case PortRef.Numbered(var number) ->
                            Optional.of(spec.ports().getOrDefault(port.name(), number));
                    };
            target.filter(_ -> port.protocol().equals("TCP"))
                    .ifPresent(number -> to.addPorts(
                            Port.newBuilder().setServicePort(port.number()).setTargetPort(number)));
        }
        return to.build();
    }
}
