/// Protobuf to our records; whatever passes is valid inside.
@NullMarked
package dev.culvert.mesh.model.wire;

import org.jspecify.annotations.NullMarked;
