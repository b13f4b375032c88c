package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.IpBlock;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.NetworkAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import java.net.InetAddress;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Turns ServiceEntries into `istio.workload.Service`, one for each host. A Service of Kubernetes has its name before
/// them, the older of two has it before the younger.
final class EntryServices {
    private static final Comparator<ServiceEntry> OLDEST = Comparator.comparing(
                    (ServiceEntry one) -> one.metadata().created().orElse(Instant.MAX))
            .thenComparing(ServiceEntry::key);

    private final ObjectSet objects;
    private final TranslationSettings settings;
    /// By xDS name.
    private final Map<String, Published> published = new TreeMap<>();
    private final Map<String, List<Published>> byNamespace;

    /// One host of an entry.
    ///
    /// @param canonical whether clients of namespaces that have no such host of their own mean this one
    record Published(ServiceEntry entry, String host, boolean canonical) {
        String key() {
            return entry.namespace() + "/" + host;
        }
    }

    EntryServices(ObjectSet objects, TranslationSettings settings, List<Problem> problems) {
        this.objects = objects;
        this.settings = settings;
        var services = new HashMap<String, Service>();
        for (var service : objects.services()) {
            if (service.type() != Service.Type.EXTERNAL_NAME) {
                services.put(ServiceTranslation.hostname(service, settings), service);
            }
        }
        var canonical = new HashMap<String, ServiceEntry>();
        for (var entry : objects.all(ServiceEntry.class).stream().sorted(OLDEST).toList()) {
            for (var host : entry.hosts()) {
                var service = services.get(host);
                if (service != null && service.namespace().equals(entry.namespace())) {
                    problems.add(taken(entry, host, service.key() + " at " + service.place()));
                    continue;
                }
                var first = service == null && canonical.putIfAbsent(host, entry) == null;
                var one = new Published(entry, host, first);
                var other = published.putIfAbsent(one.key(), one);
                if (other != null) {
                    var older = other.entry();
                    problems.add(taken(entry, host, older.key() + " at " + older.place() + ", which is older,"));
                }
            }
        }
        byNamespace = published.values().stream()
                .collect(Collectors.groupingBy(one -> one.entry().namespace()));
    }

    private static Problem taken(ServiceEntry entry, String host, String by) {
        return Problem.warning(
                entry.place(),
                entry.key().toString(),
                "host " + host + " has no effect: " + by + " has that name in this namespace",
                "remove one of them");
    }

    Collection<Published> published() {
        return published.values();
    }

    /// The hosts that an entry has got.
    List<Published> of(ServiceEntry entry) {
        return entry.hosts().stream()
                .map(host -> published.get(entry.namespace() + "/" + host))
                .filter(one -> one != null && one.entry().key().equals(entry.key()))
                .toList();
    }

    /// Without its waypoint.
    dev.culvert.protos.workload.Service.Builder translate(Published one) {
        var entry = one.entry();
        var to = dev.culvert.protos.workload.Service.newBuilder()
                .setName(entry.name())
                .setNamespace(entry.namespace())
                .setHostname(one.host())
                .setCanonical(one.canonical())
                .addAllSubjectAltNames(entry.subjectAltNames());
        addresses(one).forEach(to::addAddresses);
        for (var port : entry.ports()) {
            to.addPorts(Port.newBuilder()
                    .setServicePort(port.number())
                    .setTargetPort(port.target())
                    .setAppProtocol(ServiceTranslation.appProtocol(port.protocol())));
        }
        loadBalancing(entry).ifPresent(to::setLoadBalancing);
        return to;
    }

    private Stream<NetworkAddress> addresses(Published one) {
        var entry = one.entry();
        if (!entry.addresses().isEmpty()) {
            return entry.addresses().stream().map(this::range);
        }
        return entry.wantsAddress(one.host())
                ? entry.allocated().stream()
                        .filter(allocated -> allocated.host().equals(one.host()))
                        .map(allocated -> address(allocated.address()).build())
                : Stream.empty();
    }

    private NetworkAddress.Builder address(InetAddress address) {
        return NetworkAddress.newBuilder()
                .setNetwork(settings.network())
                .setAddress(ByteString.copyFrom(address.getAddress()));
    }

    /// A range says its first address.
    private NetworkAddress range(IpBlock block) {
        var bytes = block.address().getAddress();
        var to = address(block.address());
        if (block.length() == bytes.length * Byte.SIZE) {
            return to.build();
        }
        for (var bit = block.length(); bit < bytes.length * Byte.SIZE; bit++) {
            bytes[bit / Byte.SIZE] &= (byte) ~(0x80 >> bit % Byte.SIZE);
        }
        return to.setAddress(ByteString.copyFrom(bytes))
                .setLength(block.length())
                .build();
    }

    private Optional<LoadBalancing> loadBalancing(ServiceEntry entry) {
        if (entry.resolution() == ServiceEntry.Resolution.NONE) {
            return Optional.of(LoadBalancing.newBuilder()
                    .setMode(LoadBalancing.Mode.PASSTHROUGH)
                    .setHealthPolicy(LoadBalancing.HealthPolicy.ALLOW_ALL)
                    .build());
        }
        return ServiceTranslation.failover(entry.metadata(), objects);
    }

    /// What a pod is for the entries that select it: a port of its containers with the port's name comes first.
    Map<String, PortList> selecting(Pod pod) {
        return selecting(
                pod.namespace(),
                pod.metadata().labels(),
                port -> Stream.concat(pod.spec().containers().stream(), pod.spec().sidecars().stream())
                        .flatMap(container -> container.ports().stream())
                        .filter(own ->
                                own.name().equals(port.name()) && own.protocol().equals("TCP"))
                        .mapToInt(Container.Port::number)
                        .findFirst()
                        .orElse(port.target()));
    }

    Map<String, PortList> selecting(
            String namespace, Map<String, String> labels, ToIntFunction<ServiceEntry.Port> target) {
        var all = new TreeMap<String, PortList>();
        for (var one : byNamespace.getOrDefault(namespace, List.of())) {
            if (one.entry().selects(labels)) {
                all.put(one.key(), ports(one.entry(), target));
            }
        }
        return all;
    }

    static PortList ports(ServiceEntry entry, ToIntFunction<ServiceEntry.Port> target) {
        var to = PortList.newBuilder();
        for (var port : entry.ports()) {
            if (!port.protocol().equalsIgnoreCase("UDP")) {
                to.addPorts(Port.newBuilder().setServicePort(port.number()).setTargetPort(target.applyAsInt(port)));
            }
        }
        return to.build();
    }
}
