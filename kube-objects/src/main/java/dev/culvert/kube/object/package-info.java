/// Kubernetes and Istio objects as values, with the place where each was written.
@NullMarked
package dev.culvert.kube.object;

import org.jspecify.annotations.NullMarked;
