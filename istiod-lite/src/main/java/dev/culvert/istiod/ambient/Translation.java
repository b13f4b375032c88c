package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.Problem;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.workload.Address;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What the objects amount to, by xDS resource name, and what their authors should know.
public record Translation(Map<String, Address> addresses, Map<String, Authorization> policies, List<Problem> problems) {
    public Translation {
        addresses = Collections.unmodifiableMap(new TreeMap<>(addresses));
        policies = Collections.unmodifiableMap(new TreeMap<>(policies));
        problems = problems.stream().sorted().distinct().toList();
    }
}
