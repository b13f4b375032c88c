package dev.culvert.mesh.model.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Ports;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.TunnelProtocol;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.exclusions.Exclusions;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Extension;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads `istio.workload.Address`. What cannot be understood is refused whole: the caller NACKs it by name.
public final class AddressReader {
    /// The name of the extension that says which ports take plaintext.
    public static final String EXCLUSIONS = "culvert.dev/exclusions";

    private AddressReader() {}

    /// @throws IllegalArgumentException with the reason
    public static Change read(Address address) {
        return switch (address.getTypeCase()) {
            case WORKLOAD -> new Change.PutWorkload(workload(address.getWorkload()));
            case SERVICE -> new Change.PutService(service(address.getService()));
            case TYPE_NOT_SET -> throw new IllegalArgumentException("neither a workload nor a service");
        };
    }

    private static Workload workload(dev.culvert.protos.workload.Workload from) {
        var services = new HashMap<NamespacedHostname, Map<Integer, Integer>>();
        from.getServicesMap()
                .forEach((key, ports) -> services.put(
                        NamespacedHostname.parse(key)
                                .orElseThrow(
                                        () -> new IllegalArgumentException("not namespace/hostname: '" + key + "'")),
                        ports(ports)));
        return new Workload(
                from.getUid(),
                place(from),
                names(from),
                from.getAddressesList().stream()
                        .map(bytes -> Addresses.ofBytes(bytes.toByteArray()))
                        .toList(),
                tunnel(from),
                from.getAuthorizationPoliciesList(),
                switch (from.getStatus()) {
                    case HEALTHY -> true;
                    case UNHEALTHY -> false;
                    case UNRECOGNIZED -> throw unknown("status", from.getStatusValue());
                },
                from.getHostname(),
                services,
                from.hasCapacity() ? capped(from.getCapacity().getValue()) : 1);
    }

    private static Workload.Place place(dev.culvert.protos.workload.Workload from) {
        var at = from.getLocality();
        return new Workload.Place(
                from.getNetwork(),
                orElse(from.getClusterId(), "Kubernetes"),
                from.getNode(),
                new Locality(at.getRegion(), at.getZone(), at.getSubzone()),
                switch (from.getNetworkMode()) {
                    case STANDARD -> false;
                    case HOST_NETWORK -> true;
                    case UNRECOGNIZED -> throw unknown("network mode", from.getNetworkModeValue());
                });
    }

    private static Workload.Names names(dev.culvert.protos.workload.Workload from) {
        return new Workload.Names(
                from.getName(),
                from.getNamespace(),
                orElse(from.getTrustDomain(), "cluster.local"),
                orElse(from.getServiceAccount(), "default"),
                from.getCanonicalName(),
                from.getCanonicalRevision(),
                from.getWorkloadName(),
                switch (from.getWorkloadType()) {
                    case DEPLOYMENT -> "deployment";
                    case CRONJOB -> "cronjob";
                    case POD -> "pod";
                    case JOB -> "job";
                    case UNRECOGNIZED -> throw unknown("workload type", from.getWorkloadTypeValue());
                });
    }

    private static Workload.Tunnel tunnel(dev.culvert.protos.workload.Workload from) {
        return new Workload.Tunnel(
                switch (from.getTunnelProtocol()) {
                    case NONE -> TunnelProtocol.TCP;
                    case HBONE -> TunnelProtocol.HBONE;
                    case LEGACY_ISTIO_MTLS ->
                        throw new IllegalArgumentException("tunnel protocol LEGACY_ISTIO_MTLS is not supported");
                    case UNRECOGNIZED -> throw unknown("tunnel protocol", from.getTunnelProtocolValue());
                },
                from.getNativeTunnel(),
                from.hasWaypoint() ? gateway(from.getWaypoint()) : null,
                from.hasNetworkGateway() ? gateway(from.getNetworkGateway()) : null,
                from.hasApplicationTunnel() ? application(from.getApplicationTunnel()) : null,
                plainPorts(from.getExtensionsList()));
    }

    /// Extensions of others are none of our business.
    private static Set<Integer> plainPorts(List<Extension> extensions) {
        var ports = new HashSet<Integer>();
        for (var extension : extensions) {
            if (extension.getName().equals(EXCLUSIONS)) {
                try {
                    var exclusions = extension.getConfig().unpack(Exclusions.class);
                    exclusions.getInboundPortsList().forEach(port -> ports.add(Ports.require(port)));
                } catch (InvalidProtocolBufferException e) {
                    throw new IllegalArgumentException("extension " + EXCLUSIONS + ": " + e.getMessage(), e);
                }
            }
        }
        return ports;
    }

    private static ApplicationTunnel application(dev.culvert.protos.workload.ApplicationTunnel from) {
        return new ApplicationTunnel(
                switch (from.getProtocol()) {
                    case NONE -> ApplicationTunnel.Protocol.NONE;
                    case PROXY -> ApplicationTunnel.Protocol.PROXY;
                    case UNRECOGNIZED -> throw unknown("application tunnel protocol", from.getProtocolValue());
                },
                from.getPort());
    }

    private static GatewayAddress gateway(dev.culvert.protos.workload.GatewayAddress from) {
        return new GatewayAddress(
                switch (from.getDestinationCase()) {
                    case HOSTNAME ->
                        new GatewayAddress.ByHostname(new NamespacedHostname(
                                from.getHostname().getNamespace(),
                                from.getHostname().getHostname()));
                    case ADDRESS -> new GatewayAddress.ByAddress(networkAddress(from.getAddress()));
                    case DESTINATION_NOT_SET ->
                        throw new IllegalArgumentException("a gateway address without destination");
                },
                from.getHboneMtlsPort());
    }

    private static NetworkAddress networkAddress(dev.culvert.protos.workload.NetworkAddress from) {
        return new NetworkAddress(
                from.getNetwork(), Addresses.ofBytes(from.getAddress().toByteArray()));
    }

    private static Map<Integer, Integer> ports(PortList list) {
        return ports(list.getPortsList());
    }

    private static Map<Integer, Integer> ports(List<Port> list) {
        var ports = new HashMap<Integer, Integer>();
        for (var port : list) {
            ports.put(Ports.require(port.getServicePort()), Ports.require(port.getTargetPort()));
        }
        return ports;
    }

    private static Service service(dev.culvert.protos.workload.Service from) {
        var vips = new ArrayList<NetworkAddress>();
        var cidrs = new ArrayList<Service.CidrVip>();
        for (var vip : from.getAddressesList()) {
            var address = networkAddress(vip);
            if (isHost(vip.getAddress(), vip.hasLength() ? vip.getLength() : null)) {
                vips.add(address);
            } else {
                cidrs.add(new Service.CidrVip(vip.getNetwork(), new Cidr(address.address(), vip.getLength())));
            }
        }
        return new Service(
                from.getName(),
                key(from),
                vips,
                cidrs,
                ports(from.getPortsList()),
                from.getSubjectAltNamesList(),
                from.hasWaypoint() ? gateway(from.getWaypoint()) : null,
                from.getWeightedWaypointsList().stream()
                        .map(weighted -> new Service.WeightedWaypoint(
                                gateway(weighted.getDestination()), capped(weighted.getWeight())))
                        .toList(),
                loadBalancing(from.getLoadBalancing()),
                switch (from.getIpFamilies()) {
                    case AUTOMATIC -> Service.IpFamilies.AUTOMATIC;
                    case IPV4_ONLY -> Service.IpFamilies.IPV4_ONLY;
                    case IPV6_ONLY -> Service.IpFamilies.IPV6_ONLY;
                    case DUAL -> Service.IpFamilies.DUAL;
                    case UNRECOGNIZED -> throw unknown("IP families", from.getIpFamiliesValue());
                },
                from.getCanonical(),
                from.getVisibility() == dev.culvert.protos.workload.Service.Visibility.NAMESPACE);
    }

    /// A name with another slash could never be taken out again: a removal says `namespace/hostname`.
    private static NamespacedHostname key(dev.culvert.protos.workload.Service from) {
        var key = from.getNamespace() + "/" + from.getHostname();
        return NamespacedHostname.parse(key)
                .orElseThrow(() -> new IllegalArgumentException("not namespace/hostname: '" + key + "'"));
    }

    /// An unsigned number of 32 bits, as far as a weight can count.
    private static int capped(int unsigned) {
        return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
    }

    private static boolean isHost(ByteString address, @Nullable Integer length) {
        return length == null || length == address.size() * 8;
    }

    private static LoadBalancing loadBalancing(dev.culvert.protos.workload.LoadBalancing from) {
        return new LoadBalancing(
                from.getRoutingPreferenceList().stream()
                        .map(AddressReader::scope)
                        .toList(),
                switch (from.getMode()) {
                    case UNSPECIFIED_MODE -> LoadBalancing.Mode.STANDARD;
                    case STRICT -> LoadBalancing.Mode.STRICT;
                    case FAILOVER -> LoadBalancing.Mode.FAILOVER;
                    case PASSTHROUGH -> LoadBalancing.Mode.PASSTHROUGH;
                    case UNRECOGNIZED -> throw unknown("load balancing mode", from.getModeValue());
                },
                switch (from.getHealthPolicy()) {
                    case ONLY_HEALTHY -> LoadBalancing.HealthPolicy.ONLY_HEALTHY;
                    case ALLOW_ALL -> LoadBalancing.HealthPolicy.ALLOW_ALL;
                    case UNRECOGNIZED -> throw unknown("health policy", from.getHealthPolicyValue());
                });
    }

    private static LoadBalancing.Scope scope(dev.culvert.protos.workload.LoadBalancing.Scope from) {
        return switch (from) {
            case REGION -> LoadBalancing.Scope.REGION;
            case ZONE -> LoadBalancing.Scope.ZONE;
            case SUBZONE -> LoadBalancing.Scope.SUBZONE;
            case NODE -> LoadBalancing.Scope.NODE;
            case CLUSTER -> LoadBalancing.Scope.CLUSTER;
            case NETWORK -> LoadBalancing.Scope.NETWORK;
            case UNSPECIFIED_SCOPE, UNRECOGNIZED -> throw new IllegalArgumentException("unknown routing preference");
        };
    }

    private static String orElse(String value, String whenEmpty) {
        return value.isEmpty() ? whenEmpty : value;
    }

    private static IllegalArgumentException unknown(String what, int value) {
        return new IllegalArgumentException("unknown " + what + " " + value);
    }
}
