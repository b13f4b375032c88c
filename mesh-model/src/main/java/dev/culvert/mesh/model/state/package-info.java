/// The mesh at one moment, and how a delta makes the next one.
@NullMarked
package dev.culvert.mesh.model.state;

import org.jspecify.annotations.NullMarked;
