package dev.culvert.mesh.model.state;

import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;

/// One step of a delta.
public sealed interface Change {
    record PutWorkload(Workload workload) implements Change {}

    record PutService(Service service) implements Change {}

    /// @param resource the resource's name: a workload's uid, else a service's `namespace/hostname`
    record RemoveAddress(String resource) implements Change {}

    record PutPolicy(Policy policy) implements Change {}

    record RemovePolicy(String key) implements Change {}
}
