package dev.culvert.istiod.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.istiod.ambient.HostAddresses;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Allocated;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The addresses chosen for hosts of ServiceEntries where no API server keeps them: in a file, so that they outlive a
/// restart. For one thread.
final class LocalAddresses {
    private static final Logger LOG = LoggerFactory.getLogger("app");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Map<ObjectKey, List<Allocated>> chosen = new HashMap<>();

    private LocalAddresses(Path file) {
        this.file = file;
    }

    /// A file that cannot be read is as if there were none: hosts get other addresses then.
    static LocalAddresses open(Path file) {
        var addresses = new LocalAddresses(file);
        if (Files.exists(file)) {
            try {
                for (var entry : JSON.readTree(file.toFile())) {
                    var all = new ArrayList<Allocated>();
                    entry.path("addresses").forEach(one -> all.add(allocated(one)));
                    addresses.chosen.put(
                            new ObjectKey(
                                    Kind.SERVICE_ENTRY,
                                    entry.path("namespace").asText(),
                                    entry.path("name").asText()),
                            List.copyOf(all));
                }
            } catch (IOException | IllegalArgumentException e) {
                LOG.warn("{} cannot be read, hosts of ServiceEntries get new addresses: {}", file, e.getMessage());
                addresses.chosen.clear();
            }
        }
        return addresses;
    }

    private static Allocated allocated(JsonNode one) {
        return new Allocated(
                Literals.address(one.path("value").asText()), one.path("host").asText());
    }

    /// The objects, with an address for each host that wants one.
    ObjectSet complete(ObjectSet now) {
        var known = with(now, chosen);
        var changes = HostAddresses.changes(known);
        var entries = now.all(ServiceEntry.class).stream().map(KubeObject::key).toList();
        var same = changes.isEmpty() && entries.containsAll(chosen.keySet());
        if (!same) {
            chosen.keySet().retainAll(entries);
            chosen.putAll(changes);
            write();
        }
        return with(known, changes);
    }

    private static ObjectSet with(ObjectSet objects, Map<ObjectKey, List<Allocated>> addresses) {
        if (addresses.isEmpty()) {
            return objects;
        }
        var all = new HashMap<>(objects.objects());
        addresses.forEach((key, ofEntry) ->
                all.computeIfPresent(key, (_, entry) -> ((ServiceEntry) entry).withAllocated(ofEntry)));
        return new ObjectSet(all, objects.problems(), objects.gaps());
    }

    private void write() {
        var all = JSON.createArrayNode();
        chosen.forEach((key, addresses) -> {
            var entry = all.addObject().put("namespace", key.namespace()).put("name", key.name());
            var list = entry.putArray("addresses");
            addresses.forEach(one -> list.addObject()
                    .put("value", one.address().getHostAddress())
                    .put("host", one.host()));
        });
        try {
            var temporary = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(temporary, all.toPrettyString() + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            LOG.warn("{} not written, hosts of ServiceEntries change over a restart: {}", file, e.getMessage());
        }
    }
}
