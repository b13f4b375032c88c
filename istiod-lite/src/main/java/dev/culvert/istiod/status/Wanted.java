package dev.culvert.istiod.status;

import dev.culvert.kube.object.ObjectKey;
import java.util.List;
import java.util.Map;

/// What the status of one object is to say.
///
/// @param generation of the object that it speaks of
/// @param fields of `status`, without times
record Wanted(ObjectKey key, long generation, Map<String, ?> fields) {
    /// A condition without its time, as the API has it.
    static Map<String, ?> condition(String type, boolean holds, String reason, String message) {
        return Map.of("type", type, "status", holds ? "True" : "False", "reason", reason, "message", message);
    }

    static Wanted conditions(ObjectKey key, long generation, List<Map<String, ?>> conditions) {
        return new Wanted(key, generation, Map.of("conditions", conditions));
    }
}
