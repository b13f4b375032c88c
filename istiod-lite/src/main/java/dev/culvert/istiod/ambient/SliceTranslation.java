package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.EndpointSlice;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.workload.NetworkMode;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import dev.culvert.protos.workload.WorkloadType;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Turns the endpoints of a Service without a selector that are no pods (the API server's own, say) into workloads.
final class SliceTranslation {
    static final String SLICE_OF = "kubernetes.io/service-name";

    private SliceTranslation() {}

    static List<Workload> translate(ObjectSet objects, TranslationSettings settings) {
        var all = new ArrayList<Workload>();
        for (var slice : objects.all(EndpointSlice.class)) {
            service(slice, objects).ifPresent(service -> {
                for (var endpoint : slice.endpoints()) {
                    if (endpoint.pod().isEmpty()) {
                        endpoint.addresses()
                                .forEach(address -> all.add(
                                        workload(new Where(slice, service, settings), endpoint.ready(), address)));
                    }
                }
            });
        }
        return all;
    }

    private record Where(EndpointSlice slice, Service service, TranslationSettings settings) {}

    private static Optional<Service> service(EndpointSlice slice, ObjectSet objects) {
        return slice.metadata()
                .label(SLICE_OF)
                .flatMap(name -> objects.find(Service.class, Kind.SERVICE, slice.namespace(), name))
                .filter(service -> service.selector().isEmpty() && service.type() != Service.Type.EXTERNAL_NAME);
    }

    /// Such an address may be that of a node, so it says nothing of who else is there.
    private static Workload workload(Where where, boolean ready, InetAddress address) {
        var slice = where.slice;
        var settings = where.settings;
        var name = slice.name() + "/" + address.getHostAddress();
        return Workload.newBuilder()
                .setUid(settings.clusterId() + "/discovery.k8s.io/EndpointSlice/" + slice.namespace() + "/" + name)
                .setName(slice.name())
                .setNamespace(slice.namespace())
                .setNetwork(settings.network())
                .setClusterId(settings.clusterId())
                .setWorkloadType(WorkloadType.POD)
                .setWorkloadName(slice.name())
                .setCanonicalName(where.service.name())
                .setCanonicalRevision("latest")
                .setStatus(ready ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY)
                .setNetworkMode(NetworkMode.HOST_NETWORK)
                .addAddresses(ByteString.copyFrom(address.getAddress()))
                .putServices(ServiceTranslation.key(where.service, settings), ports(where.service, slice))
                .build();
    }

    static PortList ports(Service service, EndpointSlice slice) {
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
