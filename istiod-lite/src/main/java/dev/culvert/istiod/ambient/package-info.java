/// Translates Kubernetes and Istio objects into workload configuration; pure.
@NullMarked
package dev.culvert.istiod.ambient;

import org.jspecify.annotations.NullMarked;
