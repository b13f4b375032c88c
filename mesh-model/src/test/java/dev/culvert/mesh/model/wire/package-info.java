/// Tests of what the control plane sends.
@NullMarked
package dev.culvert.mesh.model.wire;

import org.jspecify.annotations.NullMarked;
