/// Who a workload is: SPIFFE ids.
@NullMarked
package dev.culvert.mesh.model.identity;

import org.jspecify.annotations.NullMarked;
