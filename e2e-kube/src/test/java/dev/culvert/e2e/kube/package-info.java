/// What tests on a cluster run on its nodes.
@NullMarked
package dev.culvert.e2e.kube;

import org.jspecify.annotations.NullMarked;
