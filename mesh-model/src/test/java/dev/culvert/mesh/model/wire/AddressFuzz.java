package dev.culvert.mesh.model.wire;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UInt32Value;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.protos.exclusions.Exclusions;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Extension;
import dev.culvert.protos.workload.GatewayAddress;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.NetworkAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import java.util.List;

/// Workloads and services as anybody could send them. What is read is in a snapshot as it was read, leaves nothing when
/// it is taken out, and has no number below zero.
public final class AddressFuzz {
    private AddressFuzz() {}

    static List<byte[]> samples() {
        var ip = ByteString.copyFrom(new byte[] {10, 0, 0, 1});
        var waypoint = GatewayAddress.newBuilder()
                .setAddress(NetworkAddress.newBuilder().setNetwork("n1").setAddress(ip))
                .setHboneMtlsPort(15008);
        var port = Port.newBuilder().setServicePort(80).setTargetPort(8080);
        var workload = Workload.newBuilder()
                .setUid("Kubernetes//Pod/shop/a")
                .setName("a")
                .setNamespace("shop")
                .addAddresses(ip)
                .setTunnelProtocol(TunnelProtocol.HBONE)
                .setWaypoint(waypoint)
                .setCapacity(UInt32Value.of(7))
                .addExtensions(Extension.newBuilder()
                        .setName(AddressReader.EXCLUSIONS)
                        .setConfig(Any.pack(
                                Exclusions.newBuilder().addInboundPorts(9100).build())))
                .addAuthorizationPolicies("shop/p")
                .putServices(
                        "shop/a.shop.svc.cluster.local",
                        PortList.newBuilder().addPorts(port).build());
        var service = dev.culvert.protos.workload.Service.newBuilder()
                .setName("a")
                .setNamespace("shop")
                .setHostname("a.shop.svc.cluster.local")
                .addAddresses(NetworkAddress.newBuilder().setAddress(ip))
                .addAddresses(NetworkAddress.newBuilder().setAddress(ip).setLength(24))
                .addPorts(port)
                .setWaypoint(waypoint)
                .setLoadBalancing(LoadBalancing.newBuilder()
                        .setMode(LoadBalancing.Mode.FAILOVER)
                        .addRoutingPreference(LoadBalancing.Scope.REGION));
        return List.of(
                Address.newBuilder().setWorkload(workload).build().toByteArray(),
                Address.newBuilder().setService(service).build().toByteArray());
    }

    public static void fuzzerTestOneInput(byte[] data) {
        Address address;
        Change change;
        try {
            address = Address.parseFrom(data);
            change = AddressReader.read(address);
        } catch (InvalidProtocolBufferException | IllegalArgumentException _) {
            return;
        }
        require(change.equals(AddressReader.read(again(address))), "the same again is another");
        var mesh = MeshSnapshot.EMPTY.with(List.of(change, change));
        switch (change) {
            case Change.PutWorkload(var workload) -> {
                require(mesh.workload(workload.uid()).equals(java.util.Optional.of(workload)), "not in the mesh");
                require(workload.capacity() >= 0, "capacity " + workload.capacity());
                isEmpty(mesh.with(List.of(new Change.RemoveAddress(workload.uid()))));
            }
            case Change.PutService(var service) -> {
                require(mesh.service(service.key()).equals(java.util.Optional.of(service)), "not in the mesh");
                for (Service.WeightedWaypoint weighted : service.weightedWaypoints()) {
                    require(weighted.weight() >= 0, "weight " + weighted.weight());
                }
                isEmpty(mesh.with(List.of(new Change.RemoveAddress(service.key().toString()))));
            }
            case Change.RemoveAddress _, Change.PutPolicy _, Change.RemovePolicy _ ->
                throw new AssertionError("an Address is no " + change);
        }
    }

    private static Address again(Address address) {
        try {
            return Address.parseFrom(address.toByteArray());
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private static void isEmpty(MeshSnapshot mesh) {
        require(
                mesh.workloads().isEmpty()
                        && mesh.services().isEmpty()
                        && mesh.stagedEndpoints().isEmpty(),
                "something is left");
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
