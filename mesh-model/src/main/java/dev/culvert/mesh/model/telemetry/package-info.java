/// The two small languages in which users say what is told of requests: Envoy's format strings, and a part of CEL.
@NullMarked
package dev.culvert.mesh.model.telemetry;

import org.jspecify.annotations.NullMarked;
