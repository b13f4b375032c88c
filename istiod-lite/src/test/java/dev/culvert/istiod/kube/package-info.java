/// Tests.
@NullMarked
package dev.culvert.istiod.kube;

import org.jspecify.annotations.NullMarked;
