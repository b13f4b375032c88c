package dev.culvert.istiod.xds;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.workload.Address;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// All resources at one moment, encoded once for all clients, and which changed lately. Immutable.
public final class Catalogue {
    static final String ADDRESS = "type.googleapis.com/istio.workload.Address";
    static final String AUTHORIZATION = "type.googleapis.com/istio.security.Authorization";
    /// Each client of this type gets only the resources whose names begin with its own namespace and account.
    static final String WAYPOINT = "type.googleapis.com/culvert.waypoint.v1.ServiceConfig";
    /// As those of waypoints; private keys are in them.
    static final String GATEWAY = "type.googleapis.com/culvert.waypoint.v1.GatewayConfig";
    /// Those of which each client gets its own only.
    static final List<String> OWN = List.of(WAYPOINT, GATEWAY);
    /// In the order in which clients must learn of them.
    static final List<String> TYPES = List.of(WAYPOINT, GATEWAY, AUTHORIZATION, ADDRESS);

    private static final int REMEMBERED = 256;

    static final Catalogue EMPTY = new Catalogue(0, Map.of(), Map.of(), List.of());

    /// What one step changed, by type.
    private record Step(long sequence, Map<String, Set<String>> names) {}

    private final long sequence;
    private final Map<String, Map<String, Resource>> byType;
    /// What these were encoded from: the same message is not encoded again.
    private final Map<String, Map<String, Message>> encoded;

    private final List<Step> steps;

    private Catalogue(
            long sequence,
            Map<String, Map<String, Resource>> byType,
            Map<String, Map<String, Message>> encoded,
            List<Step> steps) {
        this.sequence = sequence;
        this.byType = byType;
        this.encoded = encoded;
        this.steps = steps;
    }

    long sequence() {
        return sequence;
    }

    Map<String, Resource> resources(String type) {
        return byType.getOrDefault(type, Map.of());
    }

    /// The names that changed after `since`; all names if that is too long ago.
    Set<String> changedSince(String type, long since) {
        if (since == 0 || steps.isEmpty() || steps.getFirst().sequence > since + 1) {
            return Set.of();
        }
        var names = new HashSet<String>();
        for (var step : steps) {
            if (step.sequence > since) {
                names.addAll(step.names.getOrDefault(type, Set.of()));
            }
        }
        return names;
    }

    /// Whether [#changedSince] can tell; otherwise everything has to be compared.
    boolean remembers(long since) {
        return since == sequence || (since > 0 && !steps.isEmpty() && steps.getFirst().sequence <= since + 1);
    }

    /// The next catalogue; this one if nothing changed.
    /// @param ofProxies what waypoints and gateways are told, of the types of [#OWN]
    Catalogue next(
            Map<String, ? extends Message> addresses,
            Map<String, ? extends Message> policies,
            Map<String, ? extends Message> ofProxies) {
        var messages = new HashMap<String, Map<String, Message>>();
        messages.put(ADDRESS, new HashMap<>(addresses));
        messages.put(AUTHORIZATION, new HashMap<>(policies));
        for (var type : OWN) {
            var own = new HashMap<String, Message>();
            ofProxies.forEach((name, message) -> {
                if (type.endsWith("/" + message.getDescriptorForType().getFullName())) {
                    own.put(name, message);
                }
            });
            messages.put(type, own);
        }
        var changed = new HashMap<String, Set<String>>();
        var types = new HashMap<String, Map<String, Resource>>();
        messages.forEach((type, all) -> types.put(type, encode(type, all, changed)));
        if (changed.values().stream().allMatch(Set::isEmpty) && sequence > 0) {
            return this;
        }
        var remembered = new ArrayList<>(steps.subList(Math.max(0, steps.size() - REMEMBERED + 1), steps.size()));
        remembered.add(new Step(sequence + 1, changed));
        return new Catalogue(sequence + 1, types, messages, List.copyOf(remembered));
    }

    private Map<String, Resource> encode(String type, Map<String, Message> messages, Map<String, Set<String>> changed) {
        var before = resources(type);
        var source = encoded.getOrDefault(type, Map.of());
        var after = new TreeMap<String, Resource>();
        var names = new HashSet<>(before.keySet());
        messages.forEach((name, message) -> {
            var old = before.get(name);
            if (old != null && isOf(old, message, source.get(name))) {
                after.put(name, old);
                names.remove(name);
            } else {
                after.put(name, resource(type, name, message));
                names.add(name);
            }
        });
        changed.put(type, names);
        return after;
    }

    /// @param from what the resource was encoded from
    @SuppressWarnings("ReferenceEquality") // equal ones cost as much as to encode them
    private static boolean isOf(Resource resource, Message message, @Nullable Message from) {
        return message == from || resource.getResource().getValue().equals(message.toByteString());
    }

    private static Resource resource(String type, String name, Message message) {
        var bytes = message.toByteString();
        return Resource.newBuilder()
                .setName(name)
                .setVersion(hash(bytes.toByteArray()))
                .setResource(Any.newBuilder().setTypeUrl(type).setValue(bytes).build())
                .addAllAliases(aliases(message))
                .build();
    }

    /// `<network>/<ip>` of each address, by which on-demand clients ask.
    private static List<String> aliases(Message message) {
        if (!(message instanceof Address address)) {
            return List.of();
        }
        var aliases = new ArrayList<String>();
        if (address.hasWorkload()) {
            var workload = address.getWorkload();
            workload.getAddressesList().forEach(ip -> aliases.add(workload.getNetwork() + "/" + Ip.text(ip)));
        } else {
            address.getService()
                    .getAddressesList()
                    .forEach(vip -> aliases.add(vip.getNetwork() + "/" + Ip.text(vip.getAddress())));
        }
        return aliases;
    }

    private static String hash(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 12);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
