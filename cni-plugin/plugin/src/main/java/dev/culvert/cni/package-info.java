/// The CNI plugin: asks the node's agent to take a pod into the mesh before the pod runs.
@NullMarked
package dev.culvert.cni;

import org.jspecify.annotations.NullMarked;
