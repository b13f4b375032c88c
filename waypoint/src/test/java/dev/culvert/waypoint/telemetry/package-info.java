/// Tests of what is told of requests.
@NullMarked
package dev.culvert.waypoint.telemetry;

import org.jspecify.annotations.NullMarked;
