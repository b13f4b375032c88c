/// Tests.
@NullMarked
package dev.culvert.mesh.model.policy;

import org.jspecify.annotations.NullMarked;
