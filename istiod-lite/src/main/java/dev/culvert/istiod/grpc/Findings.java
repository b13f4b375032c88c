package dev.culvert.istiod.grpc;

import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// What of a Service's routes and policies gRPC clients cannot carry out.
final class Findings {
    private final Service service;
    private final Set<Problem> problems = new LinkedHashSet<>();

    Findings(Service service) {
        this.service = service;
    }

    /// @param what that is not done, or what happens in its place
    void add(String what, String fix) {
        problems.add(Problem.warning(
                service.place(), service.key().toString(), "gRPC clients with xds:/// targets: " + what, fix));
    }

    List<Problem> all() {
        return List.copyOf(problems);
    }
}
