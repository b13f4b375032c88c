/// Endpoints, and the connections to them.
@NullMarked
package dev.culvert.waypoint.upstream;

import org.jspecify.annotations.NullMarked;
