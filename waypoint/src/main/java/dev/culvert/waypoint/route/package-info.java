/// Which route a request takes; pure.
@NullMarked
package dev.culvert.waypoint.route;

import org.jspecify.annotations.NullMarked;
