/// Tests.
@NullMarked
package dev.culvert.mesh.model.state;

import org.jspecify.annotations.NullMarked;
