package dev.culvert.proxy.xds;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.mesh.model.wire.PolicyReader;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.workload.Address;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.mesh.ResourceStore;
import dev.culvert.proxy.mesh.ResourceStore.Held;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns responses into changes of the mesh, and keeps what was accepted, also on disk. Good resources of a
/// response are applied, bad ones are named. Confined to the thread of the xDS client.
public final class MeshResources {
    public static final String ADDRESS = "type.googleapis.com/istio.workload.Address";
    public static final String AUTHORIZATION = "type.googleapis.com/istio.security.Authorization";

    private static final Logger LOG = LoggerFactory.getLogger("xds");

    private final MeshState mesh;
    private final @Nullable LastGoodState disk;
    private final @Nullable Demand demand;
    private final Map<String, FurtherResources> further = new LinkedHashMap<>();
    private ResourceStore store = new ResourceStore();

    /// Of all addresses.
    public MeshResources(MeshState mesh, @Nullable LastGoodState disk) {
        this(mesh, disk, null);
    }

    /// @param demand if addresses are asked for by name; null to take all
    public MeshResources(MeshState mesh, @Nullable LastGoodState disk, @Nullable Demand demand) {
        this.mesh = mesh;
        this.disk = disk;
        this.demand = demand;
    }

    /// One more type to subscribe to and to keep; before [#restore].
    public void alsoReceive(FurtherResources resources) {
        further.put(resources.type(), resources);
    }

    Collection<String> furtherTypes() {
        return further.keySet();
    }

    @Nullable
    Demand demand() {
        return demand;
    }

    /// Starts from what is on disk; true if there was something.
    public boolean restore() {
        if (disk == null) {
            return false;
        }
        try {
            return disk.load().map(this::restore).orElse(false);
        } catch (IOException damaged) {
            LOG.warn("last good state not used: {}", damaged.getMessage());
            return false;
        }
    }

    private boolean restore(LastGoodState.Saved saved) {
        store = saved.resources();
        var changes = new ArrayList<Change>();
        for (var type : List.of(AUTHORIZATION, ADDRESS)) {
            store.held(type).forEach((name, held) -> read(type, name, held).ifPresent(changes::add));
        }
        mesh.apply(changes);
        further.values().forEach(this::restore);
        LOG.info(
                "started from the last good state: {} resources, {} s old",
                changes.size(),
                Duration.between(saved.savedAt(), Instant.now()).toSeconds());
        return !changes.isEmpty();
    }

    private void restore(FurtherResources own) {
        var kept = DeltaDiscoveryResponse.newBuilder().setTypeUrl(own.type());
        store.held(own.type())
                .forEach((name, held) -> kept.addResources(Resource.newBuilder()
                        .setName(name)
                        .setVersion(held.version())
                        .setResource(Any.newBuilder().setTypeUrl(own.type()).setValue(held.bytes()))));
        own.apply(kept.build()).forEach((name, why) -> LOG.warn("resource {} on disk not used: {}", name, why));
    }

    private static Optional<Change> read(String type, String name, Held held) {
        try {
            return Optional.of(parse(type, held));
        } catch (IllegalArgumentException | InvalidProtocolBufferException bad) {
            LOG.warn("resource {} on disk not used: {}", name, bad.getMessage());
            return Optional.empty();
        }
    }

    Map<String, String> versions(String typeUrl) {
        var versions = new LinkedHashMap<String, String>();
        store.held(typeUrl).forEach((name, held) -> versions.put(name, held.version()));
        return versions;
    }

    /// Applies a response; returns why resources were refused, by name.
    Map<String, String> apply(DeltaDiscoveryResponse response) {
        var type = response.getTypeUrl();
        var own = further.get(type);
        return own == null ? applyToMesh(response) : applyTo(own, response);
    }

    private Map<String, String> applyTo(FurtherResources own, DeltaDiscoveryResponse response) {
        var refused = own.apply(response);
        for (var resource : response.getResourcesList()) {
            if (!refused.containsKey(resource.getName())) {
                var held =
                        new Held(resource.getVersion(), resource.getResource().getValue());
                store.put(own.type(), resource.getName(), held);
            }
        }
        response.getRemovedResourcesList().forEach(name -> store.remove(own.type(), name));
        return refused;
    }

    private Map<String, String> applyToMesh(DeltaDiscoveryResponse response) {
        var type = response.getTypeUrl();
        var refused = new LinkedHashMap<String, String>();
        var changes = new ArrayList<Change>();
        for (var resource : response.getResourcesList()) {
            var held = new Held(resource.getVersion(), resource.getResource().getValue());
            try {
                changes.add(parse(type, held));
                store.put(type, resource.getName(), held);
            } catch (IllegalArgumentException | InvalidProtocolBufferException bad) {
                refused.put(resource.getName(), String.valueOf(bad.getMessage()));
            }
        }
        for (var name : response.getRemovedResourcesList()) {
            store.remove(type, name);
            changes.add(type.equals(ADDRESS) ? new Change.RemoveAddress(name) : new Change.RemovePolicy(name));
        }
        mesh.apply(changes);
        return refused;
    }

    private static Change parse(String type, Held held) throws InvalidProtocolBufferException {
        return type.equals(ADDRESS)
                ? AddressReader.read(Address.parseFrom(held.bytes()))
                : new Change.PutPolicy(PolicyReader.read(Authorization.parseFrom(held.bytes())));
    }

    /// Writes what is held to disk; a failure costs the next restart, not this process.
    void save() {
        if (disk != null) {
            try {
                disk.save(store);
            } catch (IOException e) {
                LOG.warn("last good state not saved: {}", e.getMessage());
            }
        }
    }
}
