/// Metrics and log of requests.
@NullMarked
package dev.culvert.waypoint.telemetry;

import org.jspecify.annotations.NullMarked;
