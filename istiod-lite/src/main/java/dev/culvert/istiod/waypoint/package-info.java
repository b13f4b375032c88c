/// Translates routes and L7 policies into what waypoints are told; pure.
@NullMarked
package dev.culvert.istiod.waypoint;

import org.jspecify.annotations.NullMarked;
