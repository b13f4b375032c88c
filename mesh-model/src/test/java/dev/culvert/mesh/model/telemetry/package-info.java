/// Tests of formats and expressions.
@NullMarked
package dev.culvert.mesh.model.telemetry;

import org.jspecify.annotations.NullMarked;
