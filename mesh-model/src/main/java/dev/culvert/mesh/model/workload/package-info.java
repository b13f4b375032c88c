/// What workloads, services and waypoints are, as the workload xDS tells it.
@NullMarked
package dev.culvert.mesh.model.workload;

import org.jspecify.annotations.NullMarked;
