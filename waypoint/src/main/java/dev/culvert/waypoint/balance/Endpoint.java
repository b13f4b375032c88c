package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where a request goes.
/// @param address unresolved for a workload that is known by name only
/// @param accepted whom it may be; for a workload that speaks HBONE
/// @param called the Service's address that it is asked for, where it is a waypoint; null for itself
public record Endpoint(
        Workload workload,
        InetSocketAddress address,
        Set<SpiffeId> accepted,
        @Nullable InetSocketAddress called) {
    public Endpoint {
        accepted = Set.copyOf(accepted);
    }

    public Endpoint(Workload workload, InetSocketAddress address, Set<SpiffeId> accepted) {
        this(workload, address, accepted, null);
    }

    /// Whether it is reached by a tunnel only.
    public boolean isTunnelled() {
        return called != null || workload.speaksHbone(address.getPort());
    }

    /// What a tunnel to it leads to.
    public InetSocketAddress authority() {
        return called == null ? address : called;
    }

    /// What was dialled, of a service that has no endpoints and passes connections on.
    public static Endpoint dialled(Service service, InetSocketAddress dialled) {
        var names = new Workload.Names(
                service.name(),
                service.namespace(),
                "cluster.local",
                "default",
                service.name(),
                "latest",
                service.name(),
                "pod");
        var workload = new Workload(
                "dialled:" + service.key(),
                new Workload.Place("", "", "", Locality.UNKNOWN, false),
                names,
                List.of(dialled.getAddress()),
                Workload.Tunnel.PLAIN,
                List.of(),
                true,
                "",
                Map.of(),
                1);
        return new Endpoint(workload, dialled, Set.of());
    }

    /// The same at one of the addresses that its name has.
    public Endpoint at(InetAddress found) {
        return new Endpoint(workload, new InetSocketAddress(found, address.getPort()), accepted, called);
    }

    /// The address, or the name where that is all that is known.
    public String text() {
        return address.isUnresolved() ? address.getHostString() + ":" + address.getPort() : Addresses.text(address);
    }

    /// A pod that was called by its own address.
    public static Endpoint of(Workload workload, InetSocketAddress dialled) {
        return new Endpoint(workload, dialled, Set.of(workload.identity()));
    }
}
