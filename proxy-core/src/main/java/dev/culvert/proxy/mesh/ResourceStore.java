package dev.culvert.proxy.mesh;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The resources that were accepted, as they came, by type and name: what a reconnecting client tells the server it
/// has, and what is kept on disk. Confined to the thread that applies responses.
public final class ResourceStore {
    /// @param bytes of the resource's message
    public record Held(String version, ByteString bytes) {}

    private final Map<String, Map<String, Held>> byType = new LinkedHashMap<>();

    public void put(String typeUrl, String name, Held held) {
        byType.computeIfAbsent(typeUrl, _ -> new TreeMap<>()).put(name, held);
    }

    public void remove(String typeUrl, String name) {
        held(typeUrl).remove(name);
    }

    public Map<String, Held> held(String typeUrl) {
        return byType.computeIfAbsent(typeUrl, _ -> new TreeMap<>());
    }

    public List<String> types() {
        return List.copyOf(byType.keySet());
    }
}
