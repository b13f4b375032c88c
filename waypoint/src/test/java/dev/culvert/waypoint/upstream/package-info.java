/// Tests of connections to endpoints.
@NullMarked
package dev.culvert.waypoint.upstream;

import org.jspecify.annotations.NullMarked;
