package dev.culvert.hbone.headers;

import dev.culvert.mesh.model.workload.Workload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Who a workload says it is, for telemetry only; never for a decision.
/// @param values in the order of the header, without empty ones
public record Baggage(Map<String, String> values) {
    private static final int MAX_ENTRIES = 32;
    private static final int MAX_LENGTH = 4096;

    public static final Baggage NONE = new Baggage(Map.of());

    public static Baggage of(Workload workload) {
        var values = new LinkedHashMap<String, String>();
        var names = workload.names();
        put(values, "k8s.cluster.name", workload.place().clusterId());
        put(values, "k8s.namespace.name", names.namespace());
        if (!names.type().isEmpty()) {
            put(values, "k8s." + names.type().toLowerCase(Locale.ROOT) + ".name", names.workloadName());
        }
        put(values, "service.name", names.canonicalName());
        put(values, "service.version", names.canonicalRevision());
        put(values, "cloud.region", workload.place().locality().region());
        put(values, "cloud.availability_zone", workload.place().locality().zone());
        return new Baggage(values);
    }

    private static void put(Map<String, String> values, String key, String value) {
        if (!value.isEmpty()) {
            values.put(key, value);
        }
    }

    /// Reads all `baggage` lines; what is not `key=value` is skipped, and so is what goes over the limits.
    public static Baggage parse(List<? extends CharSequence> lines) {
        var values = new LinkedHashMap<String, String>();
        for (var line : lines) {
            if (line.length() <= MAX_LENGTH) {
                var pairs =
                        line.toString().split(",", MAX_ENTRIES + 1); // what is over the limit stays whole, at the end
                for (var i = 0; i < Math.min(pairs.length, MAX_ENTRIES); i++) {
                    var parts = pairs[i].split("=", 3);
                    if (parts.length >= 2 && !parts[1].isEmpty() && values.size() < MAX_ENTRIES) {
                        values.put(parts[0], parts[1]);
                    }
                }
            }
        }
        return values.isEmpty() ? NONE : new Baggage(values);
    }

    public String get(String key) {
        return values.getOrDefault(key, "");
    }

    public String text() {
        var text = new StringBuilder(160);
        values.forEach((key, value) ->
                text.append(text.isEmpty() ? "" : ",").append(key).append('=').append(value));
        return text.toString();
    }
}
