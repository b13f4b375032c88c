/// Serves workload configuration by delta xDS.
@NullMarked
package dev.culvert.istiod.xds;

import org.jspecify.annotations.NullMarked;
