package dev.culvert.testkit;

import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.testkit.backend.Addressing;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A service. The mesh knows of it as soon as it has endpoints.
public final class TestService {
    private final Mesh mesh;
    private final String name;
    private final int number;
    private final List<InetAddress> vips = new ArrayList<>();
    private final Map<Integer, Integer> ports = new LinkedHashMap<>();
    private final List<String> names = new ArrayList<>();
    private @Nullable GatewayAddress waypoint;
    private LoadBalancing balancing = LoadBalancing.STANDARD;

    TestService(Mesh mesh, String name, int number) {
        this.mesh = mesh;
        this.name = name;
        this.number = number;
    }

    /// One address of each family of the test.
    public TestService vip() {
        for (var v4 : List.of(true, false)) {
            if (mesh.family().has(v4)) {
                vips.add(Addressing.vip(number, v4));
            }
        }
        return this;
    }

    public TestService vip(String address) {
        vips.add(InetAddress.ofLiteral(address));
        return this;
    }

    public TestService port(int port, int target) {
        ports.put(port, target);
        return this;
    }

    /// Also these may answer for it.
    public TestService answeredBy(TestWorkload... workloads) {
        for (var workload : workloads) {
            names.add(workload.identity().toString());
        }
        return this;
    }

    /// What is addressed to it goes through a waypoint.
    public TestService behindWaypoint(TestWorkload its) {
        waypoint = its.gatewayAddress();
        return this;
    }

    public TestService balancing(LoadBalancing its) {
        balancing = its;
        return this;
    }

    /// Adds endpoints, and tells the mesh.
    public TestService backedBy(TestWorkload... endpoints) {
        publish();
        for (var endpoint : endpoints) {
            endpoint.join(key(), ports);
        }
        return this;
    }

    NamespacedHostname key() {
        return new NamespacedHostname("default", name + ".default.svc.cluster.local");
    }

    private void publish() {
        var addresses = vips.stream().map(vip -> new NetworkAddress("", vip)).toList();
        mesh.publish(
                "service " + name,
                new Change.PutService(new Service(
                        name,
                        key(),
                        addresses,
                        List.of(),
                        ports,
                        names,
                        waypoint,
                        List.of(),
                        balancing,
                        Service.IpFamilies.AUTOMATIC,
                        false,
                        false)));
    }

    /// The address that a client with these families takes.
    InetAddress vipFor(Family client) {
        return vips.stream()
                .filter(vip -> client.has(vip instanceof Inet4Address))
                .min((a, b) -> Boolean.compare(a instanceof Inet4Address, b instanceof Inet4Address))
                .orElseThrow(() -> new IllegalStateException("service " + name + " has no address for " + client));
    }
}
