package dev.culvert.istiod.ambient;

import dev.culvert.protos.workload.Workload;
import java.util.Map;

/// A workload before its policies and its waypoint are written down.
///
/// @param labels those by which policies find it
/// @param outside whether it is of an entry, and no node proxy refuses anybody before it
record Member(Map<String, String> labels, Workload.Builder workload, Waypoints.Binding binding, boolean outside) {}
